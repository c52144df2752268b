import json
import re
import socket
import ssl
from http.client import BadStatusLine

import pytest

from rtrack_ros.engines.server.address import ServerAddress
from rtrack_ros.engines.server.api_key import ApiKey
from rtrack_ros.engines.server.dialects import DIALECTS
from rtrack_ros.engines.server.errors import Faults, error_text

ADDRESS = ServerAddress.parse('http://thor:8000')


@pytest.fixture
def faults(monkeypatch):
    monkeypatch.setenv('MY_KEY', 's3cret')
    return Faults(ADDRESS, ApiKey('MY_KEY'))


@pytest.mark.parametrize(('content', 'text'), [
    ({'error': {'message': 'no model', 'type': 'NotFoundError', 'code': 404}}, 'no model'),
    ({'error': 'bad body'}, 'bad body'),
    ({'detail': 'Server is pinned to x'}, 'Server is pinned to x'),
    ({'detail': [{'loc': ['body', 'x'], 'msg': 'field required'}, {'msg': 'too long'}]},
     'field required; too long'),
    ({'object': 'error', 'message': 'busy', 'type': 'x', 'code': 400}, 'busy'),
    ('Internal Server Error', 'Internal Server Error'),
    ({'what': 1}, '{"what": 1}'), ({'error': {}, 'message': 'm'}, 'm'), (None, 'None')])
def test_the_error_of_every_dialect_is_read(content, text):
    assert error_text(content) == text


@pytest.mark.parametrize(('status', 'message', 'remedy'), [
    (400, 'failed to parse grammar', 'choose the dialect of this server'),
    (400, 'Extra inputs are not permitted', 'choose the dialect of this server'),
    (400, 'max_tokens=5000 cannot be greater than max_model_len=2048', 'longer context'),
    (400, 'the request exceeds the available context size', 'longer context'),
    (400, 'At most 1 image(s) may be provided', 'limit-mm-per-prompt'),
    (500, 'image input is not supported - you may need to provide the mmproj', '--mmproj'),
    (400, "Server is pinned to 'a'; requested 'b'.", 'set served_model to the name'),
    (500, 'Internal Server Error', 'log of the server'),
    (404, 'model not found', 'name a model that the server has'),
    (413, 'EDGELLM_INPUT_TOO_LONG', 'longer context'),
    (422, "Unexpected fields in the request: {'x'}", 'choose the dialect'),
    (429, 'server request queue is full', 'too much to do'),
    (503, 'Loading model', 'still loading'), (504, 'x', 'too slow'),
    (307, 'moved', 'URL to which it points'),
    (401, 'Unauthorized', 'does not accept the key in the environment variable MY_KEY'),
    (403, 'Forbidden', 'does not accept the key in the environment variable MY_KEY')])
def test_a_status_becomes_one_message_with_its_remedy(faults, status, message, remedy):
    error = faults.status(status, json.dumps({'error': {'message': message}}).encode())
    assert error.status == status
    assert f'http://thor:8000 answers {status}: {message}; ' in str(error)
    assert remedy in str(error)


def test_without_a_key_it_is_asked_for(monkeypatch):
    monkeypatch.delenv('MY_KEY', raising=False)
    error = Faults(ADDRESS, ApiKey('MY_KEY')).status(401, b'')
    assert 'answers 401: nothing more; it wants a key in the environment variable MY_KEY' in str(
        error)


def test_the_time_to_wait_is_told(faults):
    assert 'answers 429, to be asked again after 7 s: full' in str(
        faults.status(429, b'full', '7'))


def test_a_long_message_of_many_lines_becomes_a_short_line(faults):
    message = str(faults.status(500, b'a\n\tb\x1b[31m' + b'x' * 999))
    assert '\n' not in message and '\x1b' not in message and 'a b[31mxx' in message
    assert len(message) < 350 and 'x...; ' in message


def test_a_server_that_repeats_the_key_is_not_quoted(faults):
    for error in (faults.status(401, b'{"error": "Incorrect API key: s3cret"}'),
                  faults.in_stream({'error': {'message': 'key s3cret'}}),
                  faults.nonsense('Bearer s3cret')):
        assert 's3cret' not in str(error) and '***' in str(error)


def test_a_key_cut_off_at_the_end_of_a_long_message_is_not_shown_either(faults):
    assert 's3c' not in str(faults.status(500, b'y' * 197 + b's3cret'))


@pytest.mark.parametrize(('content', 'status'), [
    ({'error': {'message': 'bad regex', 'code': 400}}, 400), ({'error': 'bad regex'}, 500),
    ({'object': 'error', 'message': 'bad regex', 'code': 404}, 404),
    ({'error': {'message': 'bad regex', 'code': 'invalid'}}, 500)])
def test_an_error_inside_a_stream_says_so_and_keeps_its_status(faults, content, status):
    error = faults.in_stream(content)
    assert 'began to answer and then failed: bad regex' in str(error) and error.status == status


@pytest.mark.parametrize(('error', 'words'), [
    (ConnectionRefusedError(111, 'refused'), 'takes no connections; start it with llama-server'),
    (socket.gaierror(-2, 'Name not known'), 'host name that is not known here .*check the name'),
    (TimeoutError('timed out'), 'was silent for 60 s'),
    (ssl.SSLError(1, 'WRONG_VERSION_NUMBER'), 'use http://, or name its certificate in the env'),
    (OSError(113, 'No route to host'), 'cannot be reached .*No route to host.*check the network'),
    (BadStatusLine('220 mail ready'), 'does not answer as .*220 mail ready.*check the URL')])
def test_each_error_of_the_network_has_its_remedy(faults, error, words):
    faults.dialect = DIALECTS['llamacpp']
    assert re.search(words, str(faults.unreachable(error, 60.0)))


def test_a_body_of_any_depth_is_read(faults):
    assert faults.status(500, b'[' * 100_000).status == 500
