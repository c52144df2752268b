"""A server of ours on the loopback interface that plays what real servers send, and their faults.

What it sends was seen on llama.cpp, vLLM and transformers serve, and read in the sources of
Edge-LLM, TensorRT-LLM and SGLang.
"""

import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from rtrack_ros.engines.server.engine import ServerEngine

LIMIT_S = 10.0
"""After this time the server gives up whatever it waits for."""

OWNERS = {'vllm': 'vllm', 'llamacpp': 'llamacpp', 'edgellm': 'tensorrt-edgellm',
          'trtllm': 'tensorrt_llm', 'sglang': 'sglang'}


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict
    body: dict | None
    connection: tuple


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    timeout = LIMIT_S

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.played.asked.append(
            Asked('GET', self.path, dict(self.headers), None, self.client_address))
        self.server.played.pages.get(self.path, say.status(404, 'Not Found'))(self)

    def do_POST(self):
        played = self.server.played
        if played.unread is not None:
            self.close_connection = True
            script, played.unread = played.unread, None
            return script(self)
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        played.asked.append(
            Asked('POST', self.path, dict(self.headers), body, self.client_address))
        played.next_script()(self)

    def send_whole(self, status, body, headers=()):
        self.send_response(status)
        for name, value in {'Content-Length': len(body), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def begin_stream(self, kind='text/event-stream'):
        """Send the header of an answer in events."""
        self.send_response(200)
        self.send_header('Content-Type', kind)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()

    def send_chunk(self, data):
        self.wfile.write(b'%x\r\n%s\r\n' % (len(data), data))

    def hung_up(self):
        """Whether the client closes the connection within the limit."""
        try:
            return self.connection.recv(1) == b''
        except OSError:
            return False


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class ScriptedServer:
    """Answers questions in turn from scripts, the last one for ever."""

    def __init__(self, scripts, models, port=0):
        self._scripts, self._turn, self._lock = scripts, 0, threading.Lock()
        self.asked = []
        self.unread = None  # plays next, before the body of a question is read
        self.pages = {'/v1/models': say.whole(200, {'object': 'list', 'data': models})}
        self.event = threading.Event()
        self._http = QuietServer(('127.0.0.1', port), Handler)
        self._http.played = self
        self.port = self._http.server_port
        self.url = f'http://127.0.0.1:{self.port}'
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def next_script(self):
        with self._lock:
            self._turn += 1
            return self._scripts[min(self._turn, len(self._scripts)) - 1]

    @property
    def bodies(self):
        return [asked.body for asked in self.asked if asked.method == 'POST']

    @property
    def connections(self):
        """Connections on which questions came, in turn."""
        return [asked.connection for asked in self.asked if asked.method == 'POST']

    def stop(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(LIMIT_S)


def event(content):
    """A chunk of a stream."""
    return b'data: ' + (content if isinstance(content, str) else json.dumps(content)).encode(
        ) + b'\n\n'


def choice(delta, finish=None, **more):
    return {'id': 'chatcmpl-1', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'm',
            'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish, **more}]}


def usage(tokens, choices=()):
    return {'id': 'chatcmpl-1', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'm',
            'choices': list(choices), 'usage': {
                'prompt_tokens': 112, 'completion_tokens': tokens, 'total_tokens': 112 + tokens}}


def logprobs(token, logprob):
    return {'content': [{'token': token, 'logprob': logprob, 'bytes': list(token.encode()),
                         'top_logprobs': []}]}


def llamacpp(pieces, finish='stop', each=-0.1, end=None):
    yield choice({'role': 'assistant', 'content': None})
    for piece in pieces:
        yield choice({'content': piece}, logprobs=logprobs(piece, each))
    yield choice({}, finish)
    yield usage(len(pieces) + (finish == 'stop')) | {'timings': {'prompt_n': 12}}
    yield '[DONE]'


def vllm(pieces, finish='stop', each=-0.1, end=-0.05):
    yield choice({'role': 'assistant', 'content': ''}, logprobs=None)
    for piece in pieces:
        yield choice({'content': piece}, logprobs=logprobs(piece, each))
    yield choice({'content': ''}, finish, stop_reason=None, logprobs=logprobs('', end))
    yield usage(len(pieces) + 1)
    yield '[DONE]'


def edgellm(pieces, finish='stop', each=-0.1, end=-0.05):
    def told(delta, reason=None, scores=None):
        return choice({'role': None, 'content': None, 'reasoning_content': None,
                       'tool_calls': None, 'audio': None, **delta}, reason, logprobs=scores
                      ) | {'usage': None}
    yield told({'role': 'assistant'})
    for piece in pieces:
        yield told({'content': piece}, scores=logprobs(piece, each))
    yield told({}, scores=logprobs('', end))
    yield told({}, finish)
    yield usage(len(pieces) + 1)
    yield '[DONE]'


def trtllm(pieces, finish='stop', each=-0.1, end=-0.05):
    yield choice({'role': 'assistant', 'content': '', 'reasoning_content': None,
                  'tool_calls': []}, logprobs=None, stop_reason=None) | {'usage': None}
    for piece in pieces:
        yield choice({'role': None, 'content': piece}, logprobs=logprobs(piece, each))
    yield choice({'content': ''}, finish, logprobs=logprobs('', end), stop_reason=None)
    yield usage(len(pieces) + 1)
    yield '[DONE]'


def sglang(pieces, finish='stop', each=-0.1, end=-0.05):
    yield choice({'role': 'assistant', 'content': '', 'reasoning_content': None}, logprobs=None)
    for piece in pieces:
        yield choice({'content': piece}, logprobs=logprobs(piece, each), matched_stop=None)
    yield choice({'content': None}, finish, logprobs=logprobs('', end), matched_stop=151645)
    yield usage(len(pieces) + 1)
    yield '[DONE]'


def transformers(pieces, finish='stop', each=None, end=None):
    for piece in pieces:
        yield choice({'content': piece, 'role': None})
    yield usage(len(pieces) + 1, choice({}, finish)['choices'])


def plain(pieces, finish='stop', each=None, end=None):
    for piece in pieces:
        yield choice({'content': piece})
    yield choice({}, finish)
    yield '[DONE]'


DIALECT_EVENTS = {'llamacpp': llamacpp, 'vllm': vllm, 'edgellm': edgellm, 'trtllm': trtllm,
                  'sglang': sglang, 'transformers': transformers, 'json_schema': plain,
                  'plain': plain}


class Say:
    """Scripts: each is called with the handler of one question."""

    @staticmethod
    def whole(status, content, headers=()):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        kind = {} if isinstance(content, bytes) else {'Content-Type': 'application/json'}
        return lambda handler: handler.send_whole(status, body, {**kind, **dict(headers)})

    @staticmethod
    def status(status, message, headers=()):
        return Say.whole(status, {'error': {'message': message, 'code': status}}, headers)

    @staticmethod
    def raw(*pieces):
        """A stream of these bytes, each piece sent by itself, in chunks."""
        def script(handler):
            handler.begin_stream('text/event-stream; charset=utf-8')
            for piece in pieces:
                handler.send_chunk(piece)
            handler.send_chunk(b'')
        return script

    @staticmethod
    def events(events):
        return Say.raw(*map(event, events))

    @staticmethod
    def answer(*pieces, dialect='llamacpp', **options):
        return Say.events(DIALECT_EVENTS[dialect](pieces, **options))

    @staticmethod
    def until_hung_up(*pieces, then=None):
        """Write these pieces and no more; tells by the server's event that the client left."""
        def script(handler):
            handler.begin_stream()
            for piece in pieces:
                handler.send_chunk(event(choice({'content': piece})))
            if handler.hung_up():
                handler.server.played.event.set()
            handler.close_connection = True
        return script

    @staticmethod
    def silence(handler):
        """Send nothing at all until the client hangs up."""
        if handler.hung_up():
            handler.server.played.event.set()
        handler.close_connection = True

    @staticmethod
    def drip(data, pause_s):
        """Send bytes one at a time, until the client hangs up."""
        def script(handler):
            handler.close_connection = True
            try:
                for byte in data:
                    handler.wfile.write(bytes([byte]))
                    if handler.server.played.event.wait(pause_s):
                        return
            except OSError:
                handler.server.played.event.set()
        return script

    @staticmethod
    def broken(*pieces):
        """Begin an answer and break the connection."""
        def script(handler):
            handler.begin_stream()
            for piece in pieces:
                handler.send_chunk(event(choice({'content': piece})))
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        return script

    @staticmethod
    def then_close(script):
        """Answer, and close the connection without a word, as after an idle time."""
        def closing(handler):
            script(handler)
            handler.close_connection = True
        return closing

    @staticmethod
    def probe(dialect):
        return Say.answer('zq' if dialect != 'json_schema' else '"zq"', dialect=dialect)

    events_of = staticmethod(lambda dialect, *pieces, **options: list(
        DIALECT_EVENTS[dialect](pieces, **options)))
    event = staticmethod(event)
    choice = staticmethod(choice)
    usage = staticmethod(usage)


say = Say


@pytest.fixture(name='say')
def _say():
    return Say


@pytest.fixture
def play():
    """Start a scripted server: ``play(*scripts, models=[...])``."""
    servers = []

    def start(*scripts, models=({'id': 'rtrack-nano', 'owned_by': 'llamacpp'},), port=0):
        servers.append(ScriptedServer(scripts or (Say.probe('llamacpp'),), list(models), port))
        return servers[-1]
    yield start
    for server in servers:
        server.event.set()
        server.stop()


@pytest.fixture
def engine_on(play):
    """An engine on a scripted server: what the probe says comes before the scripts."""
    engines = []

    def start(*scripts, dialect='llamacpp', owner=None, server=None, **options):
        models = [{'id': 'rtrack-nano', 'object': 'model',
                   'owned_by': OWNERS.get(dialect, 'me') if owner is None else owner}]
        server = server or play(Say.probe(dialect), *scripts, models=models)
        engine = ServerEngine(server.url, **{'dialect': dialect, 'ready_timeout_s': 0.0,
                                             **options})
        engines.append(engine)
        return SimpleNamespace(engine=engine, server=server)
    yield start
    for engine in engines:
        engine.close()


@pytest.fixture
def free_port():
    """A port at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]
