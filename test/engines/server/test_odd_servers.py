"""Servers, proxies and addresses that are odd: what is right is read, what is wrong is told."""

import gzip
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import ThreadingHTTPServer

import numpy as np
import pytest

from rtrack_ros.engines.base import EngineError, Prompt
from rtrack_ros.engines.server.address import ServerAddress
from rtrack_ros.engines.server.engine import ServerEngine

IMAGE = np.zeros((192, 256, 3), np.uint8)
PROMPT = Prompt(('find', None))
WHOLE = {'choices': [{'message': {'content': 'well'}, 'finish_reason': 'stop'}]}
JSON = {'Content-Type': 'application/json'}


def ask(engine, **options):
    return engine.infer([IMAGE], PROMPT, None, 16, **options)


def fails(used, words, **options):
    """Ask once and see it fail with these words; then ask again and be answered."""
    with pytest.raises(EngineError, match=words):
        ask(used.engine, **options)
    assert ask(used.engine).text == 'well'


def headed(headers, *pieces):
    """A script that writes a head and then bytes as they are."""
    def script(handler):
        handler.close_connection = True
        handler.wfile.write(b'HTTP/1.1 200 OK\r\n' + headers.encode() + b'\r\n\r\n')
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
    return script


def stream(say, text='well'):
    return say.event(say.choice({'content': text})), say.event(say.choice({}, 'stop'))


# What is read all the same.

def test_a_server_of_http_1_0_that_closes_after_every_answer_is_read(engine_on, say):
    def script(handler):
        handler.close_connection = True
        handler.wfile.write(b'HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
        for piece in stream(say):
            handler.wfile.write(piece)
    used = engine_on(script)
    assert [ask(used.engine).text for _ in range(3)] == ['well'] * 3
    assert len(set(used.server.connections)) == 4


@pytest.mark.parametrize('kind', ['Content-Type: text/plain', 'X-Nothing: 1',
                                  'Content-Type: application/octet-stream',
                                  'Content-Type: application/json',
                                  'Content-Type: text/event-stream'])
@pytest.mark.parametrize('streams', [True, False])
def test_an_answer_is_known_by_what_it_is_and_not_by_what_it_is_called(
        kind, streams, engine_on, say):
    content = stream(say) if streams else (json.dumps(WHOLE).encode(),)
    assert ask(engine_on(headed(kind, *content)).engine).text == 'well'


@pytest.mark.parametrize('first', [b'\xef\xbb\xbf', b': ping\n\n', b'\n\n', b'id: 7\n',
                                   b'retry: 10\n\n', b'event: message\n'])
def test_what_may_come_before_the_first_event_loses_nothing(first, engine_on, say):
    used = engine_on(headed('Content-Type: text/event-stream', first, *stream(say)))
    assert ask(used.engine).text == 'well'


def test_a_whole_answer_may_begin_with_a_mark_of_its_encoding(engine_on, say):
    used = engine_on(say.whole(200, b'\xef\xbb\xbf' + json.dumps(WHOLE).encode(), JSON))
    assert ask(used.engine).text == 'well'


def test_letters_that_are_cut_between_two_pieces_come_whole(engine_on, say):
    data = say.event('{"choices": [{"delta": {"content": "Grün 赤"}, "finish_reason": "stop"}]}')
    used = engine_on(say.raw(*(data[place:place + 1] for place in range(len(data)))))
    assert ask(used.engine).text == 'Grün 赤'


def test_trailers_after_the_last_piece_are_passed_over_and_the_connection_goes_on(engine_on, say):
    def script(handler):
        handler.begin_stream()
        for piece in stream(say):
            handler.send_chunk(piece)
        handler.wfile.write(b'0\r\nX-Time: 3\r\nX-Sum: 4\r\n\r\n')
    used = engine_on(script)
    assert [ask(used.engine).text for _ in range(2)] == ['well'] * 2
    assert len(set(used.server.connections[1:])) == 1


def test_a_last_piece_with_the_count_alone_is_counted(engine_on, say):
    used = engine_on(say.events([say.choice({'content': 'well'}), say.choice({}, 'stop'),
                                 {'usage': {'completion_tokens': 5}}, '[DONE]']))
    assert ask(used.engine).tokens == 5


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch, engine_on, say, free_port):
    for name in ('http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'ALL_PROXY'):
        monkeypatch.setenv(name, f'http://127.0.0.1:{free_port}')
    monkeypatch.delenv('no_proxy', raising=False)
    assert ask(engine_on(say.answer('well')).engine).text == 'well'


@pytest.fixture
def play_on_ipv6(play, monkeypatch):
    """Start scripted servers at ::1."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(('::1', 0))
    except OSError:
        pytest.skip('this machine has no IPv6')
    bind = ThreadingHTTPServer.__init__

    def at_six(self, place, handler):
        self.address_family = socket.AF_INET6
        bind(self, ('::1', place[1]), handler)
    monkeypatch.setattr(ThreadingHTTPServer, '__init__', at_six)
    return play


def test_an_address_of_ipv6_is_asked_and_named(play_on_ipv6, say):
    server = play_on_ipv6(say.probe('llamacpp'), say.answer('well'))
    engine = ServerEngine(f'http://[::1]:{server.port}', ready_timeout_s=0.0)
    assert ask(engine).text == 'well'
    assert engine.capabilities().device == f'llamacpp at http://[::1]:{server.port}'
    assert server.asked[-1].headers['Host'] == f'[::1]:{server.port}'
    engine.close()


@pytest.mark.parametrize('url', ['http://h:8/v1/chat/completions', 'http://h:8/v1/models',
                                 ' http://h:8/v1/ \n', 'HTTP://h:8'])
def test_a_url_that_was_copied_from_elsewhere_names_the_server(url):
    assert ServerAddress.parse(url) == ServerAddress(False, 'h', 8, '/v1')


@pytest.mark.parametrize('url', ['http://h:0', 'http://h:99999', 'http://h:x'])
def test_a_port_that_cannot_be_is_refused(url):
    with pytest.raises(EngineError, match='http://HOST:PORT'):
        ServerAddress.parse(url)


# Numbers of a stranger.

@pytest.mark.parametrize('logprob', [float('nan'), float('-inf'), float('inf'), 3.0])
def test_a_probability_that_is_none_is_not_believed(logprob, engine_on, say):
    events = say.events_of('llamacpp', 'we', 'll')
    events[1]['choices'][0]['logprobs']['content'][0]['logprob'] = logprob
    reply = ask(engine_on(say.events(events)).engine)
    assert (reply.text, reply.confidence) == ('well', None)


@pytest.mark.parametrize('count', [-5, 0])
def test_a_count_of_tokens_that_cannot_be_is_not_believed(count, engine_on, say):
    events = [*say.events_of('llamacpp', 'we', 'll')[:-2], say.usage(count), '[DONE]']
    reply = ask(engine_on(say.events(events)).engine)
    assert reply.tokens == 2 and 0.0 < reply.confidence <= 1.0


# What is told.

@pytest.fixture
def tls_port(tmp_path):
    """The port of a server that speaks TLS only."""
    if shutil.which('openssl') is None:
        pytest.skip('openssl is not here to make a certificate')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj',
                    '/CN=localhost', '-keyout', tmp_path / 'key', '-out', tmp_path / 'cert',
                    '-days', '1'], capture_output=True, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / 'cert', tmp_path / 'key')
    listener = socket.create_server(('127.0.0.1', 0))

    def serve():
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            try:
                context.wrap_socket(taken, server_side=True).close()
            except OSError:
                taken.close()
    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_a_port_of_tls_that_is_spoken_to_in_plain_names_https(tls_port):
    with pytest.raises(EngineError, match='https://'):
        ServerEngine(f'http://127.0.0.1:{tls_port}', ready_timeout_s=0.0)


def test_an_alert_of_tls_in_place_of_an_answer_names_https(engine_on, say):
    def script(handler):
        handler.wfile.write(b'\x15\x03\x01\x00\x02\x02\x46')
        handler.close_connection = True
    fails(engine_on(script, say.answer('well')), 'https://')


def test_a_proxy_that_wants_tls_names_https(engine_on, say):
    page = b'<html>400 The plain HTTP request was sent to HTTPS port</html>'
    fails(engine_on(say.whole(400, page), say.answer('well')), 'https://')


@pytest.mark.parametrize('status', [301, 302, 307, 308])
def test_a_redirection_names_where_it_points(status, engine_on, say):
    used = engine_on(say.whole(status, b'', {'Location': 'https://other.example/v1'}),
                     say.answer('well'))
    fails(used, f'answers {status}.*name the URL to which it points: https://other.example/v1')


def test_a_redirection_of_the_list_of_models_is_told_and_not_taken_for_no_list(play, say):
    server = play()
    server.pages['/v1/models'] = say.whole(301, b'', {'Location': 'https://other.example/v1'})
    with pytest.raises(EngineError, match='answers 301.*https://other.example/v1'):
        ServerEngine(server.url, ready_timeout_s=0.0)


@pytest.mark.parametrize('status', [502, 503, 504])
def test_a_server_whose_proxy_is_up_before_it_is_waited_for(status, play, say):
    server = play(say.probe('llamacpp'))
    listed, asked = server.pages['/v1/models'], []

    def page(handler):
        asked.append(1)
        (listed if len(asked) > 2 else say.status(status, 'not yet'))(handler)
    server.pages['/v1/models'] = page
    ServerEngine(server.url, ready_timeout_s=20.0).close()
    assert len(asked) == 3


@pytest.mark.parametrize('streams', [True, False])
def test_a_compressed_answer_is_told_as_that(streams, engine_on, say):
    content = gzip.compress(b''.join(stream(say)) if streams else json.dumps(WHOLE).encode())
    kind = 'text/event-stream' if streams else 'application/json'
    used = engine_on(say.whole(200, content, {'Content-Type': kind, 'Content-Encoding': 'gzip'}),
                     say.answer('well'))
    fails(used, 'compressed \\(gzip\\).*switch that off')


def test_a_compressed_list_of_models_is_told_as_that(play, say):
    server = play()
    server.pages['/v1/models'] = say.whole(200, gzip.compress(b'{"data": []}'),
                                           {**JSON, 'Content-Encoding': 'gzip'})
    with pytest.raises(EngineError, match='compressed \\(gzip\\)'):
        ServerEngine(server.url, ready_timeout_s=0.0)


@pytest.mark.parametrize('key', ['reasoning_content', 'reasoning'])
@pytest.mark.parametrize('streams', [True, False])
def test_a_model_that_thought_and_said_nothing_is_told_as_that(key, streams, engine_on, say):
    thought = {'content': None, key: 'Let me look at the left.'}
    script = say.events([say.choice(thought), say.choice({}, 'stop'), '[DONE]']) if streams else (
        say.whole(200, {'choices': [{'message': thought, 'finish_reason': 'stop'}]}))
    fails(engine_on(script, say.answer('well')), 'thought and gave no answer.*not to think')


def test_a_whole_answer_that_is_cut_broke_off_and_is_no_nonsense(engine_on, say):
    content = json.dumps(WHOLE).encode()
    used = engine_on(headed(f'Content-Type: application/json\r\nContent-Length: '
                            f'{len(content)}', content[:20]), say.answer('well'))
    fails(used, 'broke off its answer')


@pytest.mark.parametrize('body', [b'zz\r\ndata', b'-1\r\nx', b'5;x\r\nab'])
def test_pieces_of_no_length_are_told(body, engine_on, say):
    used = engine_on(headed('Content-Type: text/event-stream\r\nTransfer-Encoding: chunked', body),
                     say.answer('well'))
    fails(used, 'does not answer as|broke off')


def test_a_server_that_only_says_it_is_alive_is_given_up(engine_on, say):
    def script(handler):
        handler.begin_stream()
        ends = time.monotonic() + 8.0
        try:
            while time.monotonic() < ends:
                handler.send_chunk(b': ping\n\n')
                time.sleep(0.05)
        except OSError:
            handler.server.played.event.set()
        handler.close_connection = True
    used = engine_on(script, say.answer('well'), silence_s=0.5)
    fails(used, 'was silent for 0.5 s')
    assert used.server.event.wait(5.0)


@pytest.mark.parametrize(('choices', 'words'), [
    ([], 'broke off its answer after 0'), (None, 'broke off its answer after 0'),
    ([{}], 'broke off its answer after 0'), ([None], 'does not answer as'),
    ([{'message': {'content': 'x'}}], 'broke off its answer after 1')])
def test_a_whole_answer_without_an_end_is_told(choices, words, engine_on, say):
    fails(engine_on(say.whole(200, {'choices': choices}), say.answer('well')), words)


def test_an_answer_of_nothing_at_all_is_told(engine_on, say):
    for script in (say.whole(200, b'', JSON), say.whole(204, b'')):
        fails(engine_on(script, say.answer('well')), 'does not answer as|answers 204')


def test_a_server_of_a_thousand_models_names_some_of_them_on_one_line(play):
    server = play(models=[{'id': f'model-{number}\n\x1b[31m'} for number in range(1000)])
    with pytest.raises(EngineError, match='set served_model to one of: model-0') as caught:
        ServerEngine(server.url, ready_timeout_s=0.0)
    said = str(caught.value)
    assert len(said) < 600 and said.isprintable() and 'and 990 more' in said


@pytest.mark.parametrize('models', [[], None, [None], {}, 'x', [{'name': 'x'}]])
def test_a_list_without_models_is_told(models, play, say):
    server = play()
    server.pages['/v1/models'] = say.whole(200, {'data': models})
    with pytest.raises(EngineError, match='set served_model|a list of models without'):
        ServerEngine(server.url, ready_timeout_s=0.0)


@pytest.mark.parametrize('key', ['secret\n', '\r\n secret', 'secret\r\n'])
def test_a_key_read_from_a_file_with_its_line_end_is_sent_without_it(
        key, monkeypatch, engine_on, say):
    monkeypatch.setenv('RTRACK_API_KEY', key)
    used = engine_on(say.answer('well'))
    assert ask(used.engine).text == 'well'
    assert used.server.asked[-1].headers['Authorization'] == 'Bearer secret'


def test_a_key_of_two_lines_is_refused_and_not_shown(monkeypatch, play):
    monkeypatch.setenv('RTRACK_API_KEY', 'secret\nX-Evil: 1')
    with pytest.raises(EngineError, match='RTRACK_API_KEY holds characters') as caught:
        ServerEngine(play().url)
    assert 'secret' not in str(caught.value)
