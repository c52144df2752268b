"""Tracking with a server: its faults end nothing, and it is asked several things at once."""

import errno
import gzip
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace

import cv2
import numpy as np
import pytest

from rtrack_ros.boxes import iou
from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.server.engine import ServerEngine
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.pipeline import PipelineConfig, build_pipeline
from rtrack_ros.scheduling.scheduler import Schedule

BOX = (80.0, 60.0, 200.0, 240.0)
"""Of the one object of the scene, in pixels of 640 x 480."""
CAR = '[{"bbox_2d": [125, 125, 312, 500], "label": "car"}]'
DEADLINE_S = 0.6
RECOVERY_S = 2.0
LIMIT_S = 20.0
PERIOD_S = 0.05
DIALECTS = {'vllm': ('the car', 'the other car'), 'llamacpp': ('the car',)}
"""The first has several questions in flight, the second one."""


@pytest.fixture
def picture(make_world, make_path):
    x1, y1, x2, y2 = BOX
    return make_world([make_path(x1, y1, 0, 0, x2 - x1, y2 - y1)]).pair(0)


class Rig:
    """A pipeline before a server whose script can be changed, and a camera for it."""

    def __init__(self, play, say, picture, port, dialect):
        self.say, self._play, self._picture = say, play, picture
        self._dialect, self._port = dialect, port
        self.script = self.well = say.then_close(say.answer(CAR, dialect=dialect))
        self.server = self.start(say.probe(dialect))
        self.engine = ServerEngine(self.server.url, dialect=dialect, ready_timeout_s=0.0)
        self.pipeline = build_pipeline(
            self.engine, PipelineConfig(schedule=Schedule(DEADLINE_S, queries_per_pair=4)))
        for text in DIALECTS[dialect]:
            self.pipeline.set_query(text, text)
        self.sentences = len(DIALECTS[dialect])
        self.tracks = []

    def start(self, *before):
        """Start the server, at the same port every time."""
        models = [{'id': 'rtrack-nano', 'owned_by': self._dialect}]
        self.server = self._play(*before, lambda handler: self.script(handler), models=models,
                                 port=self._port)
        return self.server

    def film(self, until, seconds=LIMIT_S):
        """Push frames until something is so; returns how long that took and all tracks."""
        started, seen = time.monotonic(), []
        while not until():
            assert time.monotonic() < started + seconds, self.pipeline.stats()
            self.tracks = self.pipeline.push(
                replace(self._picture, stamp_ns=time.monotonic_ns()))
            seen.append(self.tracks)
            time.sleep(PERIOD_S)
        return time.monotonic() - started, seen

    def meant(self, tracks):
        """Return whether the one object of the scene is published for every sentence."""
        return len(tracks) == 1 and len(tracks[0].meanings) == self.sentences

    def answers(self, more=1):
        """Return whether so many more answers are applied than now."""
        wanted = self.pipeline.stats().answers + more
        return lambda: self.pipeline.stats().answers >= wanted

    def failures(self, more):
        """Return whether so many more questions failed than now."""
        def failed():
            stats = self.pipeline.stats()
            return stats.engine_errors + stats.answers_invalid
        wanted = failed() + more
        return lambda: failed() >= wanted

    def close(self):
        ended = self.pipeline.close()
        self.engine.close()
        return ended


@pytest.fixture
def rig(play, say, picture, free_port):
    rigs = []

    def begin(dialect='vllm'):
        rigs.append(Rig(play, say, picture, free_port, dialect))
        return rigs[-1]
    yield begin
    for each in rigs:
        assert each.close()


def raw_events(say, *events):
    return say.raw(*map(say.event, events))


def endless(say):
    piece = say.event(say.choice({'content': CAR[1:-1] + ', '}))

    def script(handler):
        handler.send_response(200)
        handler.send_header('Content-Type', 'text/event-stream')
        handler.end_headers()
        handler.close_connection = True
        with suppress(OSError):
            for _ in range(10_000):
                handler.wfile.write(piece)
    return script


def dripping(say):
    def script(handler):
        handler.close_connection = True
        with suppress(OSError):
            for byte in b'HTTP/1.1 200 OK\r\nX: ' + b'x' * 999:
                handler.wfile.write(bytes([byte]))
                time.sleep(0.02)
    return script


def signs_of_life(say):
    def script(handler):
        handler.begin_stream()
        handler.close_connection = True
        with suppress(OSError):
            while True:
                handler.send_chunk(b': ping\n\n')
                time.sleep(0.05)
    return script


def alert_of_tls(say):
    def script(handler):
        handler.wfile.write(b'\x15\x03\x01\x00\x02\x02\x46')
        handler.close_connection = True
    return script


def web_page(say):
    return say.whole(200, b'<html>It works!</html>', {'Content-Type': 'text/html'})


def nonsense(say):
    return say.whole(200, b'{"choices": 3}', {'Content-Type': 'application/json'})


def failing(say):
    return say.events([say.choice({'content': '['}), {'error': {'message': 'out of memory'}}])


def writing(text, **options):
    """Return what makes a script that answers with a text."""
    return lambda say: say.answer(text, dialect='vllm', **options)


def refusing(status, message, headers=()):
    return lambda say: say.status(status, message, headers)


FAULTS = {
    'slow headers': (lambda say: say.silence, 'no answer within'),
    'bytes that drip': (dripping, 'no answer within'),
    'slow body': (lambda say: say.until_hung_up('[{"bbox'), 'no answer within'),
    'cut stream': (lambda say: say.broken('[{"bb', 'ox'), 'broke off its answer after 7'),
    'stream without its end': (lambda say: raw_events(say, say.choice({'content': CAR})),
                               f'broke off its answer after {len(CAR)}'),
    'error inside a stream': (failing, 'began to answer and then failed: out of memory'),
    '400': (refusing(400, 'failed to parse grammar'), 'choose the dialect'),
    '401': (refusing(401, 'Unauthorized'), 'environment variable RTRACK_API_KEY'),
    'wrong model': (refusing(404, 'The model does not exist'), 'and has: rtrack-nano'),
    '422': (refusing(422, 'Extra inputs'), 'choose the dialect'),
    '429': (refusing(429, 'queue is full', {'Retry-After': '1'}), 'to be asked again after 1 s'),
    '500': (refusing(500, 'Internal Server Error'), 'log of the server'),
    '503': (refusing(503, 'Loading model'), 'loading'),
    'a web page': (web_page, 'check the URL'),
    'nonsense': (nonsense, 'check the URL'),
    'prose': (writing('I see a car.'), 'AnswerError: the answer is not JSON'),
    'fences': (writing(f'```json\n{CAR}\n```'), 'AnswerError: the answer is not JSON'),
    'boxes outside': (writing(CAR.replace('125, 125, 312', '2125, 125, 2312')),
                      'AnswerError: item 0: the box lies outside'),
    'cut at its length': (writing(CAR[:-9], finish='length'), 'the answer is incomplete'),
    'signs of life alone': (signs_of_life, 'no answer within'),
    'encrypted alone': (alert_of_tls, 'write its URL with https://'),
    'moved': (lambda say: say.whole(308, b'', {'Location': 'http://other.example/v1'}),
              'the URL to which it points: http://other.example/v1'),
    'compressed': (lambda say: say.whole(200, gzip.compress(b'{}'), {
        'Content-Type': 'application/json', 'Content-Encoding': 'gzip'}), 'compressed (gzip)'),
    'a thought alone': (lambda say: say.events([
        say.choice({'content': None, 'reasoning_content': 'Hm.'}, 'length'), '[DONE]']),
        'thought and gave no answer'),
    'ten thousand boxes': (endless, 'wrote far more than'),
}


def check_fault(used, begin, end, words, failures=2):
    """Let a fault come and go; see it counted and told, tracks coast, and answers come again.

    It stays for so many failures of every sentence.
    """
    used.film(used.answers(used.sentences))
    used.film(lambda: used.meant(used.tracks))
    begin()
    before = used.pipeline.stats()
    _, seen = used.film(used.failures(failures * used.sentences))
    stats = used.pipeline.stats()
    assert words in stats.last_error and stats.questions_unanswered >= failures
    assert stats.questions > before.questions
    assert all(map(used.meant, seen)), 'tracks must coast'
    boxes = np.array([track.box for track in used.tracks])
    assert iou(boxes, np.array([BOX])).min() > 0.7
    end()
    took, _ = used.film(used.answers(used.sentences))
    assert took < RECOVERY_S


def check_script(used, fault, say, **options):
    make, words = FAULTS[fault]
    check_fault(used, lambda: setattr(used, 'script', make(say)),
                lambda: setattr(used, 'script', used.well), words, **options)


@pytest.mark.parametrize('fault', FAULTS)
def test_a_fault_is_counted_and_told_tracks_coast_and_answers_come_again(fault, rig, say):
    check_script(rig(), fault, say)


@pytest.mark.parametrize('fault', ['slow headers', '500', 'nonsense'])
def test_a_fault_is_survived_where_one_question_is_in_flight(fault, rig, say):
    check_script(rig('llamacpp'), fault, say)


@pytest.mark.parametrize('dialect', DIALECTS)
def test_after_a_long_fault_answers_come_again_as_soon(dialect, rig, say):
    used = rig(dialect)
    check_script(used, '500', say, failures=8)
    assert used.pipeline.stats().engine_errors <= 12 * used.sentences, 'it must not be hammered'


@pytest.mark.parametrize('dialect', DIALECTS)
def test_a_server_that_goes_away_and_is_started_again_answers_again(dialect, rig):
    used = rig(dialect)
    check_fault(used, used.server.stop, used.start, 'takes no connections; start it')


def test_a_host_that_cannot_be_reached_or_found_is_survived(rig, monkeypatch):
    used = rig()

    def unreachable(*_):
        raise OSError(errno.ENETUNREACH, 'Network is unreachable')

    def gone(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')

    def begin():
        monkeypatch.setattr(socket.socket, 'connect', unreachable)
        monkeypatch.setattr(socket, 'getaddrinfo', gone)
    check_fault(used, begin, monkeypatch.undo, 'host name that is not known here')


def test_a_server_that_is_not_there_at_the_start_is_told_and_may_come_later(play, say, free_port):
    url = f'http://127.0.0.1:{free_port}'
    with pytest.raises(EngineError, match='takes no connections; start it with vllm serve'):
        ServerEngine(url, dialect='vllm', ready_timeout_s=0.0)
    starter = threading.Timer(0.5, lambda: play(
        say.probe('vllm'), models=[{'id': 'rtrack-nano', 'owned_by': 'vllm'}], port=free_port))
    starter.start()
    began = time.monotonic()
    ServerEngine(url, dialect='vllm', ready_timeout_s=LIMIT_S).close()
    assert time.monotonic() - began < 0.5 + RECOVERY_S
    starter.join()


class Doorman:
    """A script that lets questions in and answers them when it is told to."""

    def __init__(self, say):
        self._well = say.answer(CAR, dialect='vllm')
        self.inside, self.left = [], []
        self.go = threading.Event()

    def __call__(self, handler):
        asked = handler.server.played.bodies[-1]
        self.inside.append(asked)
        handler.connection.settimeout(0.01)
        ends = time.monotonic() + LIMIT_S
        while not self.go.is_set() and time.monotonic() < ends:
            try:
                if handler.connection.recv(1) == b'':
                    self.left.append(asked)
                    handler.close_connection = True
                    return
            except TimeoutError:
                continue
        handler.connection.settimeout(LIMIT_S)
        self._well(handler)


def texts(body):
    """What a question says around its images."""
    return ' '.join(part['text'] for part in body['messages'][0]['content'] if 'text' in part)


def urls(body):
    return [part['image_url']['url'] for part in body['messages'][0]['content']
            if 'image_url' in part]


@pytest.fixture
def held(play, say, picture, monkeypatch):
    """A pipeline whose server holds all questions; ``encoded`` counts images."""
    doorman = Doorman(say)
    server = play(say.probe('vllm'), doorman, models=[{'id': 'rtrack-nano', 'owned_by': 'vllm'}])
    engine = ServerEngine(server.url, ready_timeout_s=0.0)
    pipeline = build_pipeline(engine, PipelineConfig(schedule=Schedule(queries_per_pair=4)))
    doorman.encoded, encode = [], cv2.imencode
    monkeypatch.setattr(cv2, 'imencode', lambda *args: (doorman.encoded.append(1),
                                                        encode(*args))[1])
    doorman.pipeline = pipeline
    doorman.push = lambda: pipeline.push(replace(picture, stamp_ns=time.monotonic_ns()))
    yield doorman
    assert pipeline.close()
    engine.close()


def wait_for(happened):
    end = time.monotonic() + LIMIT_S
    while not happened():
        assert time.monotonic() < end, 'did not happen in time'
        time.sleep(0.005)


def test_four_sentences_about_a_pair_are_in_flight_at_once_with_images_encoded_once(held):
    for name in 'abcdef':
        held.pipeline.set_query(f'the car {name}', name)
    held.push()
    wait_for(lambda: len(held.inside) == 4)
    time.sleep(0.1)
    assert len(held.inside) == 4, 'vLLM gains from four'
    assert len({texts(body) for body in held.inside}) == 4
    assert len({tuple(urls(body)) for body in held.inside}) == 1 and len(held.encoded) == 2
    held.go.set()
    wait_for(lambda: held.pipeline.stats().answers == 6)
    assert len(held.encoded) == 2, 'the other two are asked about the same pair'


def test_a_changed_sentence_takes_its_question_off_the_server_and_goes_before(held):
    held.pipeline.set_query('the car', 'a')
    held.pipeline.set_query('the bike', 'b')
    held.push()
    wait_for(lambda: len(held.inside) == 2)
    held.pipeline.set_query('the van', 'a')
    held.push()
    wait_for(lambda: held.left and len(held.inside) == 3)
    assert [texts(body).count('the car') for body in held.left] == [1]
    assert 'the van' in texts(held.inside[2])
    held.go.set()
    wait_for(lambda: held.pipeline.stats().answers >= 2)
    stats = held.pipeline.stats()
    assert (stats.questions_cancelled, stats.engine_errors, stats.last_error) == (1, 0, '')


def test_an_object_is_described_while_a_sentence_is_asked_about(held):
    held.pipeline.set_query('the car', 'a')
    held.push()
    held.go.set()
    wait_for(held.push)
    held.go.clear()
    before = len(held.inside)
    wait_for(lambda: held.push() and len(held.inside) > before)
    description = held.pipeline.describe(held.pipeline.tracker.tracks()[0].id)
    wait_for(lambda: len(held.inside) == before + 2)
    assert 'describe' in texts(held.inside[-1]) and not description.done()
    held.go.set()
    assert isinstance(description.exception(LIMIT_S), AnswerError), 'boxes are no description'


def test_closing_takes_every_question_off_the_server(held):
    for name in 'abc':
        held.pipeline.set_query(f'the car {name}', name)
    held.push()
    wait_for(lambda: len(held.inside) == 3)
    started = time.monotonic()
    assert held.pipeline.close()
    assert time.monotonic() - started < 2.0
    wait_for(lambda: len(held.left) == 3)
