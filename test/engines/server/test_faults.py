"""What is said when a server fails, and that the next question is answered."""

import socket
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import numpy as np
import pytest

from rtrack_ros.engines.base import DeadlineError, EngineError, Prompt
from rtrack_ros.engines.server import address
from rtrack_ros.engines.server.engine import ServerEngine

IMAGE = np.zeros((192, 256, 3), np.uint8)
PROMPT = Prompt(('find', None))
HTML = b'<html>It works!</html>'


def ask(engine, **options):
    return engine.infer([IMAGE], PROMPT, None, 16, **options)


def fails(used, words, **options):
    """Ask once and see it fail with these words; then ask again and be answered."""
    with pytest.raises(EngineError, match=words) as caught:
        ask(used.engine, **options)
    assert ask(used.engine).text == 'well'
    return caught.value


STATUSES = [
    (400, {'error': {'message': 'failed to parse grammar', 'code': 400}}, 'choose the dialect'),
    (400, {'object': 'error', 'message': 'prompt too long', 'code': 400}, 'longer context'),
    (401, {'error': 'Unauthorized'}, 'wants a key in the environment variable RTRACK_API_KEY'),
    (422, {'detail': "Unexpected fields in the request: {'grammar'}"}, 'choose the dialect'),
    (500, b'Internal Server Error', 'log of the server'),
    (503, {'error': {'message': 'Loading model', 'code': 503}}, 'loading'),
    (502, HTML, 'behind the proxy'), (307, b'', 'to which it points')]


@pytest.mark.parametrize(('status', 'body', 'words'), STATUSES,
                         ids=[f'{status}-{words}' for status, _, words in STATUSES])
def test_a_refusal_names_its_remedy_and_the_next_question_is_answered(
        status, body, words, engine_on, say, monkeypatch):
    monkeypatch.delenv('RTRACK_API_KEY', raising=False)
    used = engine_on(say.whole(status, body), say.answer('well'))
    fails(used, f'answers {status}.*{words}')
    assert len(used.server.bodies) == 3, 'a refused question must not be asked again'


def test_a_wrong_model_lists_those_that_the_server_has(engine_on, say):
    used = engine_on(say.status(404, 'The model `x` does not exist'), say.answer('well'))
    fails(used, "answers 404.*asked for 'rtrack-nano' and has: rtrack-nano")


def test_too_many_questions_tell_when_to_ask_again(engine_on, say):
    used = engine_on(say.status(429, 'queue is full', {'Retry-After': '3'}), say.answer('well'))
    error = fails(used, 'answers 429, to be asked again after 3 s: queue is full')
    assert error.ask_again_after_s == 3.0


def date_in(seconds):
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(('header', 'least', 'most'), [
    (lambda: '0', 0, 0), (lambda: ' 7 ', 7, 7), (lambda: '1.5', 1.5, 1.5),
    (lambda: date_in(600), 500, 600), (lambda: date_in(-600), 0, 0), (lambda: 'soon', 0, 0),
    (lambda: '', 0, 0), (lambda: '9' * 400, 0, 0), (lambda: 'Mon, 99 Foo', 0, 0)])
def test_the_pause_that_a_server_asks_for_is_read(header, least, most, engine_on, say):
    used = engine_on(say.status(503, 'busy', {'Retry-After': header()}), say.answer('well'))
    assert least <= fails(used, 'answers 503').ask_again_after_s <= most


@pytest.mark.parametrize('error', [
    {'error': {'message': 'bad regex', 'type': 'BadRequestError', 'code': 400}},
    {'object': 'error', 'message': 'bad regex', 'type': 'x', 'code': 400},
    {'error': 'bad regex'}])
def test_an_error_inside_a_stream_is_told(error, engine_on, say):
    used = engine_on(say.events([say.choice({'content': '['}), error, '[DONE]']),
                     say.answer('well'))
    fails(used, 'began to answer and then failed: bad regex; choose the dialect')


@pytest.mark.parametrize('events', [
    [], ['[DONE]'], [{'choices': []}, '[DONE]']])
def test_a_stream_without_an_answer_broke_off(events, engine_on, say):
    fails(engine_on(say.events(events), say.answer('well')), 'broke off .* after 0 characters')


def test_a_stream_that_is_cut_says_how_far_it_came(engine_on, say):
    used = engine_on(say.broken('[{"bb', 'ox'), say.answer('well'))
    fails(used, 'broke off its answer after 7 characters; .*restarted or ran out of memory')


def test_a_stream_that_ends_within_an_event_broke_off(engine_on, say):
    used = engine_on(say.raw(say.event(say.choice({'content': 'abc'})), b'data: {"choi'),
                     say.answer('well'))
    fails(used, 'broke off its answer after 3 characters')


def test_a_stream_without_done_is_complete_once_it_said_why_it_ended(engine_on, say):
    used = engine_on(say.raw(say.event(say.choice({'content': 'abc'}, 'stop'))))
    assert ask(used.engine).text == 'abc'


def test_a_last_event_without_its_empty_line_counts(engine_on, say):
    used = engine_on(say.raw(say.event(say.choice({'content': 'abc'})),
                             say.event(say.choice({}, 'stop')).rstrip()))
    assert ask(used.engine).text == 'abc'


def test_a_complete_answer_does_not_wait_for_a_stream_that_stays_open(engine_on, say):
    def script(handler):
        handler.send_response(200)
        handler.send_header('Content-Type', 'text/event-stream')
        handler.end_headers()
        handler.wfile.write(say.event(say.choice({'content': 'abc'}, 'stop')))
        say.silence(handler)
    used = engine_on(script, say.answer('well'))
    started = time.perf_counter()
    assert ask(used.engine, deadline_s=8.0).text == 'abc'
    assert time.perf_counter() - started < 4.0
    assert ask(used.engine).text == 'well'


def test_what_stopped_for_another_reason_is_an_error_in_the_reply(engine_on, say):
    used = engine_on(say.events([say.choice({'content': '[{'}, 'content_filter'), '[DONE]']))
    assert ask(used.engine).finish == 'error'


@pytest.mark.parametrize('slow', ['headers', 'body', 'bytes of headers', 'bytes of the body'])
def test_a_slow_server_is_given_up_at_the_deadline_and_left(slow, engine_on, say):
    head = b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX: ' + b'x' * 999
    body = head + b'\r\n\r\n' + b'data: ' + b'y' * 999
    script = {'headers': say.silence, 'body': say.until_hung_up('['),
              'bytes of headers': say.drip(head, 0.02),
              'bytes of the body': say.drip(body, 0.0005)}[slow]
    used = engine_on(script, say.answer('well'))
    started = time.perf_counter()
    with pytest.raises(DeadlineError, match=r'no answer within 0\.[34]\d s .*; allow more time'):
        ask(used.engine, deadline_s=0.4)
    waited = time.perf_counter() - started
    assert 0.3 < waited < 5.0
    assert used.server.event.wait(5.0), 'the server must see that nobody waits any more'
    used.server.event.clear()
    assert ask(used.engine).text == 'well'


def test_a_silent_server_is_given_up_where_there_is_no_deadline(engine_on, say):
    used = engine_on(say.silence, say.answer('well'), silence_s=0.5)
    fails(used, 'was silent for 0.5 s')


@pytest.mark.parametrize(('kind', 'content'), [
    ('text/html', HTML), ('text/plain', b'hello'), ('application/json', b'{"choices": 3}'),
    ('application/json', b'[1, 2]'), ('application/json', b'not json'),
    ('application/json', b'{"choices": [{"message": {"content": ["x"]}}]}'),
    ('text/event-stream', b'data: not json\n\n'),
    ('text/event-stream', b'data: {"choices": [7]}\n\n'),
    ('text/event-stream', b'data: ' + b'[' * 99_999 + b'\n\n'),
    ('text/event-stream', b'data: {"choices": [{"delta": {"content": 3}}]}\n\n')],
    ids=lambda value: repr(value)[:40])
def test_nonsense_is_told_from_an_answer(kind, content, engine_on, say):
    used = engine_on(say.whole(200, content, {'Content-Type': kind}), say.answer('well'))
    fails(used, 'does not answer as an OpenAI-compatible server does.*check the URL')


def test_what_is_no_http_at_all_is_told(engine_on, say):
    def script(handler):
        handler.wfile.write(b'220 mail.example ready\r\n')
        handler.close_connection = True
    fails(engine_on(script, say.answer('well')), 'does not answer as .*220 mail.example ready')


def test_ten_thousand_boxes_are_cut_off(engine_on, say):
    def script(handler):
        handler.send_response(200)
        handler.send_header('Content-Type', 'text/event-stream')
        handler.end_headers()
        handler.close_connection = True
        piece = say.event(say.choice({'content': '{"bbox_2d": [1, 2, 3, 4], "label": "car"}, '}))
        try:
            for _ in range(10_000):
                handler.wfile.write(piece)
        except OSError:
            handler.server.played.event.set()
    used = engine_on(script, say.answer('well'))
    fails(used, 'wrote far more than the 16 tokens')
    assert used.server.event.wait(5.0), 'the server must be stopped'


def test_a_server_that_is_not_there_at_start_says_how_to_start_it(free_port):
    with pytest.raises(EngineError, match='takes no connections; start it with vllm serve'):
        ServerEngine(f'http://127.0.0.1:{free_port}', dialect='vllm', ready_timeout_s=0.0)


def test_a_server_that_goes_and_comes_back_is_asked_again(play, engine_on, say, free_port):
    server = play(say.probe('llamacpp'), say.then_close(say.answer('before')), port=free_port)
    used = engine_on(server=server)
    assert ask(used.engine).text == 'before'
    server.stop()
    with pytest.raises(EngineError, match='takes no connections; start it with llama-server'):
        ask(used.engine)
    play(say.answer('after'), port=free_port)
    assert ask(used.engine).text == 'after'


def test_a_host_name_that_is_gone_at_start_is_told(monkeypatch):
    def gone(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')
    monkeypatch.setattr(address.socket, 'getaddrinfo', gone)
    with pytest.raises(EngineError, match='host name that is not known here.*IP address'):
        ServerEngine('http://thor.local:8000', ready_timeout_s=0.0)


def test_a_host_name_that_goes_later_does_no_harm_while_its_address_answers(
        monkeypatch, play, say):
    server = play(say.probe('llamacpp'), say.then_close(say.answer('well')))
    engine = ServerEngine(f'http://localhost:{server.port}', dialect='llamacpp')

    def gone(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')
    monkeypatch.setattr(address.socket, 'getaddrinfo', gone)
    assert [ask(engine).text for _ in range(3)] == ['well'] * 3
    server.stop()
    with pytest.raises(EngineError, match='host name that is not known here'):
        ask(engine)
    engine.close()


def test_https_on_a_server_without_it_says_so(play):
    server = play()
    with pytest.raises(EngineError, match='speaks no TLS .*use http://'):
        ServerEngine(server.url.replace('http', 'https'), ready_timeout_s=0.0)
