"""A toolkit of ours that looks like a real one: a program that serves, and a driver."""

import json
import struct
import sys
from pathlib import Path

import pytest

SERVER = f"""#!{sys.executable}
# Lists one model and answers every question with the word that the probe allows.
import json, os, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

args = sys.argv[1:]
def value(option):
    return args[args.index(option) + 1]
state = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(state, 'started'), 'a') as file:
    child = subprocess.Popen(['sleep', '300'])
    file.write(json.dumps({{'pid': os.getpid(), 'child': child.pid, 'args': sys.argv}}) + chr(10))
if os.path.exists(os.path.join(state, 'broken')):
    sys.exit('CUDA out of memory')
if os.path.exists(os.path.join(state, 'loading')):
    time.sleep(300)
if '--cache-dir' in args:
    os.makedirs(value('--cache-dir'), exist_ok=True)
    with open(os.path.join(value('--cache-dir'), 'llm.engine'), 'wb') as file:
        file.write(b'an engine')
name = value('--served-model-name') if '--served-model-name' in args else args[0].split('/')[-1]

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass
    def answer(self, kind, body):
        self.send_response(200)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer('application/json', json.dumps(
            {{'object': 'list', 'data': [{{'id': name, 'owned_by': 'vllm'}}]}}).encode())
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        chunk = {{'choices': [{{'index': 0, 'delta': {{'content': 'zq'}},
                               'finish_reason': 'stop'}}]}}
        self.answer('text/event-stream',
                    ('data: ' + json.dumps(chunk) + chr(10) * 2 + 'data: [DONE]' + chr(10) * 2
                     ).encode())

HTTPServer((value('--host'), int(value('--port'))), Handler).serve_forever()
"""

class Toolkit:
    """The folder of the programs, and what was started of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, text: str = SERVER) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def breaks(self) -> None:
        """Let every server end as soon as it is started."""
        (self.folder / 'broken').touch()

    def loads_for_ever(self) -> None:
        """Let no server ever be ready."""
        (self.folder / 'loading').touch()

    @property
    def started(self) -> list[dict]:
        """Servers that were started: their process, its child, their arguments."""
        file = self.folder / 'started'
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]


@pytest.fixture
def toolkit(tmp_path: Path) -> Toolkit:
    folder = tmp_path / 'programs'
    folder.mkdir()
    return Toolkit(folder)


@pytest.fixture
def gpu(toolkit: Toolkit, monkeypatch: pytest.MonkeyPatch):
    """Makes this machine one with the GPU that is said."""
    def install(listed: str) -> None:
        toolkit.add('nvidia-smi', f'#!/bin/sh\necho "{listed}"\n')
        monkeypatch.setenv('PATH', str(toolkit.folder), prepend=':')
    return install


@pytest.fixture
def qwen(tmp_path: Path) -> Path:
    """A checkpoint of 200 bytes."""
    folder = tmp_path / 'Qwen3-VL-2B-Instruct'
    folder.mkdir()
    header = json.dumps({'layers.0.weight': {'dtype': 'BF16', 'shape': [10, 10],
                                             'data_offsets': [0, 200]}}).encode()
    (folder / 'model.safetensors').write_bytes(
        struct.pack('<Q', len(header)) + header + bytes(200))
    (folder / 'config.json').write_text('{"model_type": "qwen3_vl"}')
    return folder
