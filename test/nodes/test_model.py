"""The engine of the node is the one that its parameters name."""

from pathlib import Path

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.nodes import model
from rtrack_ros.parameters import engine
from rtrack_ros.parameters.values import defaults

URL = 'http://127.0.0.1:8000'


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    calls: list[tuple] = []

    def load(name, place, **options):
        calls.append((name, place, options))
        return ScriptedEngine()
    monkeypatch.setattr(engine, 'load_engine', load)
    monkeypatch.setattr(engine, 'default_model', lambda: Path('shipped'))
    return calls


@pytest.mark.parametrize('name', ['auto', 'server'])
def test_a_url_is_asked_with_the_options_of_servers_and_no_threads(name, loaded) -> None:
    settings = defaults() | {
        'engine.name': name, 'engine.model': URL, 'engine.server.dialect': 'vllm',
        'engine.server.served_model': 'mine', 'engine.server.family': 'qwen3_vl',
        'engine.server.image_size': '640x480', 'engine.server.manifest': '/models/mine',
        'engine.server.api_key_env': 'MY_KEY', 'engine.server.concurrency': 3,
        'engine.server.ready_timeout_s': 60.0}
    model.Model(settings, print).close()
    assert loaded == [('server', URL, {
        'dialect': 'vllm', 'served_model': 'mine', 'family': 'qwen3_vl',
        'manifest': '/models/mine', 'image_size': (640, 480), 'api_key_env': 'MY_KEY',
        'concurrency': 3, 'ready_timeout_s': 60.0})]


@pytest.mark.parametrize(('given', 'place'), [('', Path('shipped')), ('/models/m', '/models/m')])
def test_a_folder_is_loaded_with_threads(given, place, loaded) -> None:
    model.Model(defaults() | {'engine.model': given}, print).close()
    assert loaded == [('auto', place, {'threads': 1, 'niceness': 10})]


def test_the_engine_server_without_a_url_says_what_to_write() -> None:
    with pytest.raises(EngineError, match='is no URL of a server; write it as http://HOST:PORT'):
        model.Model(defaults() | {'engine.name': 'server'}, print)


def test_the_key_itself_is_taken_for_no_name_and_is_not_shown() -> None:
    with pytest.raises(EngineError, match='give its name, for example RTRACK_API_KEY') as caught:
        model.Model(defaults() | {'engine.model': URL,
                                  'engine.server.api_key_env': 'sk-12-ab'}, print)
    assert 'sk-12-ab' not in str(caught.value)


def test_an_engine_that_computes_here_does_not_take_a_url() -> None:
    with pytest.raises(EngineError, match='choose engine server or auto'):
        model.Model(defaults() | {'engine.name': 'openvino', 'engine.model': URL}, print)
