"""A fault-injecting proxy between the real node and a real llama.cpp server.

One node lives through all faults, one after the other. What a user sees of each is looked at:
``~/status``, ``/diagnostics`` and the tracks. The scripts of the faults, and what must be said of
them, are those that the tests of the pipeline use.
"""

import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='a node needs ROS 2')
pytest.importorskip('gguf', reason='the llamacpp extra is not installed')
pytest.importorskip('xllamacpp', reason='the llamacpp extra is not installed')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition

from rtrack_ros.engines.llamacpp.export import export_llamacpp
from rtrack_ros.engines.llamacpp.process import ServerProcess
from rtrack_ros.engines.llamacpp.settings import ServerSettings
from rtrack_ros.engines.registry import default_model, load_engine
from rtrack_ros.language.self_test.pictures import draw_questions
from rtrack_ros.playback.serving import free_port

TESTS = Path(__file__).parents[1]


def load(path: Path) -> ModuleType:
    """Return a module of another folder of tests, which are no packages."""
    spec = importlib.util.spec_from_file_location(f'rtrack_tests_{path.stem}', path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


scripted = load(TESTS / 'engines' / 'server' / 'conftest.py')
pipeline = load(TESTS / 'engines' / 'server' / 'test_pipeline.py')
tracker = load(Path(__file__).with_name('test_tracker_node.py'))

pytestmark = pytest.mark.system

HOST = 'model-server.test'
NAME_SERVICE = f"""
import os, socket
known = socket.getaddrinfo
def lookup(host, *args, **options):
    if host != {HOST!r}:
        return known(host, *args, **options)
    if not os.path.exists(os.environ['RTRACK_TEST_NAME']):
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')
    return known('127.0.0.1', *args, **options)
socket.getaddrinfo = lookup
"""
"""Put into the node's interpreter: a host name that is there while a file is."""

SENTENCE = 'the red car'
DEADLINE_S = 1.0
RECOVERY_S = 2.0
MOST_QUESTIONS = 3
"""Of those that are put after a fault has ended, one of so many is answered."""

LIMIT_S = 30.0
PERIOD_S = 1 / 30
FAILURES = 3
"""So many in a row are told to be the model's failure."""


class Proxy:
    """Passes questions on to the server, or plays a fault instead."""

    def __init__(self, upstream: int, port: int) -> None:
        self._upstream, self.port = upstream, port
        self.fault: Callable[[Any], None] | None = None
        self.passed_on = self.answered = 0
        self._server: Any = None

    def open(self) -> None:
        """Take connections."""
        self._server = scripted.ScriptedServer([self._serve], [], self.port)
        self._server.pages = {path: self._pass_on for path in ('/v1/models', '/props')}

    def close(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.event.set()
            self._server.stop()
            self._server = None

    def _serve(self, handler: Any) -> None:
        asked = handler.server.played.asked
        body = scripted.json.dumps(asked[-1].body).encode()
        asked.clear()
        handler.close_connection = True
        if self.fault is not None:
            self.fault(handler)
            return
        self.passed_on += 1
        self._pass_on(handler, body)
        self.answered += 1

    def _pass_on(self, handler: Any, body: bytes | None = None) -> None:
        handler.close_connection = True
        upstream = HTTPConnection('127.0.0.1', self._upstream, timeout=LIMIT_S)
        try:
            upstream.request(handler.command, handler.path, body,
                             {'Content-Type': 'application/json'})
            response = upstream.getresponse()
        except (OSError, HTTPException):
            scripted.Say.status(502, 'the server behind the proxy is away')(handler)
            return
        kind = {'Content-Type': response.headers.get('Content-Type', '')}
        if 'event-stream' not in kind['Content-Type']:
            handler.send_whole(response.status, response.read(), kind)
            return
        handler.begin_stream()
        while piece := response.read1(65536):
            handler.send_chunk(piece)
        handler.send_chunk(b'')
        upstream.close()


class Rig:
    """The node, its camera, the proxy and the server."""

    def __init__(self, folder: Path, gguf: Path) -> None:
        self._settings = ServerSettings(
            str(gguf / 'rtrack-nano-f16.gguf'), str(gguf / 'mmproj-rtrack-nano-f16.gguf'),
            'rtrack-nano', 1, 0, 1, 2048, port=free_port('127.0.0.1', 0))
        self.server = ServerProcess(self._settings, LIMIT_S)
        self.proxy = Proxy(self._settings.port, free_port('127.0.0.1', 0))
        self.name = folder / 'name'
        self.name.touch()
        self.processes = tracker.Processes(folder)
        self.node = self._start_node()
        self.observer = tracker.Observer()
        self.diagnostics: list[DiagnosticArray] = []
        self.observer.node.create_subscription(DiagnosticArray, '/diagnostics',
                                               self.diagnostics.append, 10)
        pair = draw_questions((256, 192))[0].pair
        self._picture = pair.rgb, pair.thermal[::2, ::2].astype(np.uint16) * 10 + 29000
        self.ids: set[str] = set()
        self._next_image = 0.0

    def _start_node(self) -> Any:
        settings = [f'engine.model:=http://{HOST}:{self.proxy.port}', 'engine.name:=server',
                    'engine.server.ready_timeout_s:=0.0', f'query.initial:={SENTENCE}',
                    f'ask.deadline_s:={DEADLINE_S}', 'status.rate_hz:=10.0',
                    'diagnostics.rate_hz:=10.0', 'engine.self_test:=warn']
        return self.processes.start('tracker_node', '--ros-args', *(
            word for setting in settings for word in ('-p', setting)))

    def restart_server(self) -> None:
        self.server = ServerProcess(self._settings, LIMIT_S)

    def film(self, until: Callable[[], Any], what: str) -> None:
        """Show the camera the same picture until something is so.

        At the rate of a camera: images that come faster are passed over, and the status says so.
        """
        ends = time.monotonic() + LIMIT_S
        while not until():
            self.observer.listen_until(self._next_image)
            self._next_image = time.monotonic() + PERIOD_S
            assert time.monotonic() < ends, (
                f'waited in vain for {what}: {self.status}\n{self.processes.log("tracker_node")}')
            self.observer.send(*self._picture)

    def film_until_followed(self) -> None:
        """Show the picture until the node answers again and its tracks are confirmed."""
        wanted = self.status.answers + 1 if self.observer.status else 1
        self.film(lambda: self.observer.status and self.status.answers >= wanted
                  and not self.status.message and self.observer.arrays
                  and self.observer.arrays[-1].detections, 'answers and tracks')
        self.ids = set(tracker.ids_of(self.observer.arrays[-1]))

    @property
    def status(self) -> Any:
        return self.observer.status[-1] if self.observer.status else None

    @property
    def failed(self) -> int:
        """Questions that failed, by the node's own count."""
        return int(self.status.engine_errors + self.status.answers_invalid)

    def told(self) -> tuple[bytes, str, dict[str, str]]:
        """Return level, message and values of the model's part of ``/diagnostics``."""
        model = next(one for one in self.diagnostics[-1].status if one.name == 'rtrack: model')
        return model.level, model.message, {pair.key: pair.value for pair in model.values}

    def close(self) -> None:
        self.observer.close()
        self.processes.end()
        self.proxy.close()
        self.server.close()


@pytest.fixture(scope='module')
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp('faults')
    (folder / 'hook').mkdir()
    (folder / 'hook' / 'sitecustomize.py').write_text(NAME_SERVICE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ROS_DOMAIN_ID', str(tracker.DOMAIN))
        patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        if os.environ.get('ROS_DISTRO') == 'humble':
            patch.setenv('ROS_LOCALHOST_ONLY', '1')
        patch.setenv('XDG_STATE_HOME', str(folder))
        patch.setenv('RTRACK_TEST_NAME', str(folder / 'name'))
        patch.delenv('RTRACK_API_KEY', raising=False)
        patch.setenv('PYTHONPATH', str(folder / 'hook'), prepend=os.pathsep)
        started = Rig(folder, export_llamacpp(default_model(), 'f16', folder / 'gguf'))
        yield started
        started.close()


def test_a_server_that_is_not_there_at_the_start_is_told_and_the_node_may_try_again(
        rig: Rig) -> None:
    assert not rig.observer.change(Transition.TRANSITION_CONFIGURE)
    assert rig.observer.state() == 'unconfigured' and rig.node.poll() is None
    assert 'cannot configure' in rig.processes.log('tracker_node')
    assert 'takes no connections; start it' in rig.processes.log('tracker_node')
    rig.proxy.open()
    assert rig.observer.change(Transition.TRANSITION_CONFIGURE)
    assert rig.observer.change(Transition.TRANSITION_ACTIVATE)
    rig.observer.wait_for_tracker()
    rig.film_until_followed()
    engine = load_engine('server', f'http://127.0.0.1:{rig.proxy.port}')
    # Asked again so soon, whatever the fault was and however long it was.
    assert engine.capabilities().longest_back_off_s < RECOVERY_S
    engine.close()


def check(rig: Rig, begin: Callable[[], object], end: Callable[[], object], words: str) -> None:
    """Let a fault come and go; it is counted and told, tracks stay, answers come again."""
    rig.film_until_followed()
    ids, before = rig.ids, rig.failed
    seen = len(rig.observer.arrays)
    begin()
    rig.film(lambda: rig.failed >= before + FAILURES and words in rig.status.message,
             f'{words!r} in the status')
    rig.film(lambda: words in rig.told()[1], f'{words!r} in the diagnostics')
    level, message, values = rig.told()
    assert level == DiagnosticStatus.ERROR and message.startswith('the model does not answer: ')
    assert words in values['last_error'] and int(values['questions_unanswered']) >= FAILURES
    arrays = rig.observer.arrays[seen:]
    assert arrays and all(ids <= set(tracker.ids_of(array)) for array in arrays), (
        'tracks must coast under their IDs')
    rig.proxy.passed_on = rig.proxy.answered = 0
    end()
    rig.film(lambda: rig.proxy.answered, 'an answer')
    assert rig.proxy.passed_on <= MOST_QUESTIONS
    rig.film_until_followed()
    assert ids & rig.ids, 'the object must keep its ID through the fault'
    rig.film(lambda: rig.told()[0] == DiagnosticStatus.OK, 'diagnostics that are well again')
    assert rig.node.poll() is None, rig.processes.log('tracker_node')


@pytest.mark.parametrize('fault', pipeline.FAULTS)
def test_a_fault_is_counted_and_told_tracks_coast_and_answers_come_again(
        fault: str, rig: Rig) -> None:
    make, words = pipeline.FAULTS[fault]
    check(rig, lambda: setattr(rig.proxy, 'fault', make(scripted.Say)),
          lambda: setattr(rig.proxy, 'fault', None), words)


def test_a_server_that_refuses_connections_is_told_and_survived(rig: Rig) -> None:
    check(rig, rig.proxy.close, rig.proxy.open, 'takes no connections; start it')


def test_a_server_that_is_killed_and_started_again_is_told_and_survived(rig: Rig) -> None:
    check(rig, rig.server.close, rig.restart_server, 'look whether the server behind the proxy')


def test_a_host_whose_name_is_gone_is_told_and_survived(rig: Rig) -> None:
    def begin() -> None:
        rig.name.unlink()
        rig.proxy.close()

    def end() -> None:
        rig.name.touch()
        rig.proxy.open()
    check(rig, begin, end, 'host name that is not known here')


def test_the_node_that_lived_through_all_of_it_ends_well(rig: Rig) -> None:
    assert 'the model does not answer' in rig.processes.log('tracker_node')
    assert rig.processes.stop('tracker_node') == 0, rig.processes.log('tracker_node')
