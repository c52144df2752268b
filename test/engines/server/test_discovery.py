import logging
import threading

import pytest

from rtrack_ros.engines.base import EngineError, Prompt
from rtrack_ros.engines.server.engine import ServerEngine


def load(server, **options):
    engine = ServerEngine(server.url, **{'ready_timeout_s': 0.0, **options})
    engine.close()
    return engine.capabilities()


@pytest.mark.parametrize(('owner', 'dialect', 'concurrency'), [
    ('vllm', 'vllm', 4), ('llamacpp', 'llamacpp', 1), ('tensorrt-edgellm', 'edgellm', 1),
    ('tensorrt_llm', 'trtllm', 4), ('sglang', 'sglang', 4)])
def test_auto_knows_a_server_by_its_signature(owner, dialect, concurrency, play, say):
    server = play(say.probe(dialect), models=[{'id': 'rtrack-nano', 'owned_by': owner}])
    found = load(server)
    assert found.device == f'{dialect} at {server.url}' and found.constrained
    assert found.concurrency == concurrency


def test_auto_asks_an_unknown_server_with_a_json_schema_and_says_so(play, say, caplog):
    server = play(say.probe('json_schema'), models=[{'id': 'rtrack-nano', 'owned_by': 'Intel'}])
    found = load(server)
    assert found.device.startswith('json_schema at') and found.constrained
    assert 'does not say what it is and is asked in the dialect json_schema' in caplog.text


@pytest.mark.parametrize('status', [400, 422])
def test_auto_asks_plainly_where_a_json_schema_is_refused(status, play, say, caplog):
    server = play(say.status(status, 'unknown key'), say.answer('yes', dialect='plain'),
                  models=[{'id': 'rtrack-nano'}])
    found = load(server)
    assert found.device.startswith('plain at') and not found.constrained
    assert 'does not hold to grammars in the dialect plain' in caplog.text


def test_auto_does_not_hide_what_has_nothing_to_do_with_the_dialect(play, say):
    server = play(say.status(500, 'out of memory'), models=[{'id': 'rtrack-nano'}])
    with pytest.raises(EngineError, match='answers 500: out of memory'):
        load(server)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(('pieces', 'finish', 'constrained'), [
    (('zq',), 'stop', True), (('"zq"',), 'stop', True), (('z',), 'length', True),
    (('\n\n',), 'length', True), (('yes',), 'stop', False), (('"yes"',), 'stop', False),
    (('',), 'stop', False), (('[]',), 'length', False)])
def test_a_word_that_no_model_writes_shows_whether_a_grammar_holds(
        pieces, finish, constrained, play, say):
    server = play(say.answer(*pieces, finish=finish))
    assert load(server, dialect='llamacpp').constrained is constrained


def test_the_probe_is_short_and_shows_no_picture(play):
    server = play()
    load(server)
    (asked,) = server.bodies
    assert asked['max_tokens'] == 8 and asked['grammar'] == 'root ::= "zq"'
    assert [part['type'] for part in asked['messages'][0]['content']] == ['text']


def test_a_grammar_that_is_refused_names_the_dialect(play, say):
    server = play(say.status(400, 'failed to parse grammar'))
    with pytest.raises(EngineError, match='choose the dialect of this server'):
        load(server, dialect='llamacpp')


def test_a_server_that_does_not_hold_to_grammars_is_known_as_such(play, say, caplog):
    server = play(say.answer('yes', dialect='transformers'), models=[])
    found = load(server, dialect='vllm', served_model='/models/rtrack-nano')
    assert not found.constrained and found.model == '/models/rtrack-nano'
    assert 'does not hold to grammars in the dialect vllm' in caplog.text


def test_slots_of_llama_cpp_are_asked_for(play, say):
    server = play()
    server.pages['/props'] = say.whole(200, {'total_slots': 3})
    assert load(server).concurrency == 3


@pytest.mark.parametrize('told, taken', [(10**9, 16), (-5, 1), (1e999, 1), ('many', 1)])
def test_a_server_does_not_say_how_many_threads_are_made(play, say, told, taken):
    server = play()
    server.pages['/props'] = say.whole(200, {'total_slots': told})
    assert load(server).concurrency == taken


def test_the_setting_of_concurrency_wins(play):
    assert load(play(), concurrency=2).concurrency == 2


def test_the_only_model_of_a_server_is_taken(play):
    server = play()
    assert load(server).model == 'rtrack-nano'
    assert server.bodies[0]['model'] == 'rtrack-nano'


def test_one_of_several_models_must_be_named(play):
    server = play(models=[{'id': 'rtrack-nano', 'owned_by': 'llamacpp'}, {'id': 'other'}])
    with pytest.raises(EngineError, match='set served_model to one of: rtrack-nano, other'):
        load(server)
    assert load(server, served_model='rtrack-nano').model == 'rtrack-nano'


def test_a_model_that_the_server_does_not_list_is_refused_with_those_it_lists(play):
    with pytest.raises(EngineError, match="has no model 'x'; set served_model to one of: rtrack"):
        load(play(), served_model='x')


@pytest.mark.parametrize('status', [404, 500])
def test_a_server_without_a_list_must_be_told_its_model(status, play, say):
    server = play(say.answer('yes', dialect='transformers'))
    server.pages['/v1/models'] = say.status(status, 'x')
    with pytest.raises(EngineError, match='set served_model to the name by which the server know'):
        load(server, dialect='transformers')
    assert load(server, dialect='transformers', served_model='rtrack-nano').model == 'rtrack-nano'


@pytest.mark.parametrize('page', [b'<html>', b'[]', b'{"data": [{}]}', b'{"data": 3}', b'{}'])
def test_a_page_that_is_no_list_of_models_is_told(page, play, say):
    server = play()
    server.pages['/v1/models'] = say.whole(200, page)
    with pytest.raises(EngineError, match='does not answer as an OpenAI-compatible server'):
        load(server)


def test_a_key_that_is_missing_is_told_at_start(play, say, monkeypatch):
    monkeypatch.delenv('RTRACK_API_KEY', raising=False)
    server = play()
    server.pages['/v1/models'] = say.status(401, 'no key')
    with pytest.raises(EngineError, match='wants a key in the environment variable RTRACK_API_K'):
        load(server)


def test_the_key_is_sent_and_shown_nowhere(play, say, monkeypatch, caplog):
    monkeypatch.setenv('THOR_KEY', 's3cret')
    caplog.set_level(logging.DEBUG)
    server = play(say.probe('llamacpp'), say.status(401, 'Incorrect API key provided: s3cret'))
    engine = ServerEngine(server.url, api_key_env='THOR_KEY', ready_timeout_s=0.0)
    assert {asked.headers['Authorization'] for asked in server.asked} == {'Bearer s3cret'}
    with pytest.raises(EngineError) as caught:
        engine.infer([], Prompt(('x',)), None, 4)
    error = caught.value
    while error is not None:
        assert 's3cret' not in f'{error!r}{error}'
        error = error.__cause__ or error.__context__
    assert 's3cret' not in caplog.text + repr(engine.capabilities())
    engine.close()


@pytest.mark.parametrize('loading', ['list', 'probe'])
def test_a_server_that_is_loading_is_waited_for(loading, play, say):
    busy = say.status(503, 'Loading model')
    server = play(*([busy, busy] if loading == 'probe' else []), say.probe('llamacpp'))
    ready = server.pages['/v1/models']
    if loading == 'list':
        server.pages['/v1/models'] = busy
        threading.Timer(0.5, server.pages.update, [{'/v1/models': ready}]).start()
    assert load(server, ready_timeout_s=10.0).constrained


def test_a_server_that_takes_no_connections_yet_is_waited_for(play, free_port):
    timer = threading.Timer(0.5, lambda: play(port=free_port))
    timer.start()
    engine = ServerEngine(f'http://127.0.0.1:{free_port}', ready_timeout_s=10.0)
    timer.join()
    assert engine.capabilities().constrained
    engine.close()


def test_a_server_that_stays_busy_is_given_up(play, say):
    server = play()
    server.pages['/v1/models'] = say.status(503, 'Loading model')
    with pytest.raises(EngineError, match='answers 503: Loading model; .*wait'):
        load(server, ready_timeout_s=0.5)
    assert len(server.asked) >= 2
