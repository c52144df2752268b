"""The commands that start a server of each toolkit, with the flags that our dialects need."""

import json
import os
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.llamacpp.pair import GgufPair
from rtrack_ros.engines.targets.toolkits import Toolkit
from rtrack_ros.model_thread import NICENESS
from rtrack_ros.telemetry import SWITCHES

LOOPBACK: Final = '127.0.0.1'
TRTLLM_CONFIG: Final = 'trtllm.yaml'
CACHE_FOLDER: Final = 'cache'


@dataclass(frozen=True)
class Limits:
    """How long questions and answers may be. Edge-LLM builds an engine for these and no others.

    Attributes:
        input_tokens: Of a question, its images included.
        total_tokens: Of a question and its answer.
        image_tokens: Of all images of a question.
        tokens_per_image: Of one image.
        questions: At once.
    """

    input_tokens: int = 2048
    total_tokens: int = 4096
    image_tokens: int = 1024
    tokens_per_image: int = 512
    questions: int = 1


@dataclass(frozen=True)
class Served:
    """What is to be served, and where.

    Attributes:
        model: Folder of the checkpoint, a name of the hub, or a GGUF file.
        name: By which the server lists the model.
        folder: For what the toolkit keeps; None where it keeps nothing.
        limits: See there.
        memory_share: Share of the GPU's memory that vLLM may take, or of what the weights leave
            free that TensorRT-LLM may take for its cache.
        quantise: What vLLM shall make of a 16-bit checkpoint while it loads it; empty for nothing.
        host: Address to listen on.
        port: TCP port.
    """

    model: str
    name: str
    folder: Path | None = None
    limits: Limits = field(default_factory=Limits)
    memory_share: float = 0.8
    quantise: str = ''
    host: str = LOOPBACK
    port: int = 8000

    @property
    def url(self) -> str:
        """Return the base URL for somebody on the same machine."""
        host = LOOPBACK if self.host in ('0.0.0.0', '') else self.host
        return f'http://[{host}]:{self.port}' if ':' in host else f'http://{host}:{self.port}'


def server_command(toolkit: Toolkit, served: Served) -> list[str]:
    """Return the command that starts a server.

    Raises:
        EngineError: this toolkit has no server that could have the model.
    """
    command = _COMMANDS[toolkit.kind.engine](toolkit, served)
    return command if not toolkit.container else _in_container(toolkit, served, command)


def container_name(served: Served) -> str:
    """Return the name of the container of a server."""
    return f'rtrack-serve-{served.port}'


def trtllm_config(served: Served) -> str:
    """Return the settings that TensorRT-LLM takes from a file alone."""
    return ('# Without this line a grammar is refused or ignored.\n'
            'guided_decoding_backend: xgrammar\n'
            'kv_cache_config:\n'
            '  enable_block_reuse: true\n'
            f'  free_gpu_memory_fraction: {served.memory_share:g}\n')


def _edgellm(toolkit: Toolkit, served: Served) -> list[str]:
    limits = served.limits
    if served.folder is None:
        raise EngineError('Edge-LLM builds an engine before it serves; make its folder with '
                          'rtrack compile --target, then serve that folder')
    start = (['trtedge', 'serve'] if toolkit.is_at_least('0.11.1')
             else ['tensorrt-edgellm-serve'])
    return [toolkit.program(start[0]), *start[1:], served.model,
            '--host', served.host, '--port', str(served.port),
            '--served-model-name', served.name,
            '--cache-dir', str(served.folder / CACHE_FOLDER),
            '--max-input-len', str(limits.input_tokens),
            '--max-kv-cache-capacity', str(limits.total_tokens),
            '--max-batch-size', str(limits.questions),
            '--max-image-tokens', str(limits.image_tokens),
            '--max-image-tokens-per-image', str(limits.tokens_per_image)]


def _trtllm(toolkit: Toolkit, served: Served) -> list[str]:
    if served.folder is None:
        raise EngineError('TensorRT-LLM takes a setting that grammars need from a file alone; '
                          'make its folder with rtrack compile --target, then serve that folder')
    config = '--config' if toolkit.is_at_least('1.2.0') else '--extra_llm_api_options'
    return [toolkit.program('trtllm-serve'), served.model,
            '--host', served.host, '--port', str(served.port),
            '--max_batch_size', str(served.limits.questions),
            '--max_seq_len', str(served.limits.total_tokens),
            config, str(served.folder / TRTLLM_CONFIG)]


def _vllm(toolkit: Toolkit, served: Served) -> list[str]:
    quantise = ['--quantization', served.quantise] if served.quantise else []
    return [toolkit.program('vllm'), 'serve', served.model,
            '--served-model-name', served.name,
            '--host', served.host, '--port', str(served.port),
            '--max-model-len', str(served.limits.total_tokens),
            '--max-num-seqs', str(served.limits.questions),
            '--limit-mm-per-prompt', json.dumps({'image': 4, 'video': 0}),
            '--gpu-memory-utilization', f'{served.memory_share:g}', *quantise]


def _llamacpp(toolkit: Toolkit, served: Served) -> list[str]:
    pair = GgufPair.find(Path(served.model))
    # Its threads compute on the cores of the tracker, which has to keep up with the camera.
    polite = [] if toolkit.container else ['nice', '-n', str(NICENESS)]
    return [*polite, *toolkit.call('llama-server'), '-m', str(pair.model),
            '--mmproj', str(pair.projector),
            '--alias', served.name, '--host', served.host, '--port', str(served.port),
            '-c', str(served.limits.total_tokens * served.limits.questions),
            '-np', str(served.limits.questions), '-t', str(_spare_cores()),
            # Left alone it keeps 8 GiB of old questions, none of which comes again, and writes
            # some lines about each into its log.
            '--cache-ram', '0', '--log-verbosity', '1',
            '--jinja', '--chat-template-kwargs', json.dumps({'enable_thinking': False})]


def _spare_cores() -> int:
    """Return the cores of a machine that a model may have: the others are the tracker's."""
    return max(1, (os.cpu_count() or 1) // 2)


def _in_container(toolkit: Toolkit, served: Served, command: list[str]) -> list[str]:
    folders = [str(Path(path).resolve()) for path in (served.model, served.folder)
               if path is not None and Path(path).exists()]
    mounts = [part for folder in dict.fromkeys(folders)
              for part in ('-v', f'{folder}:{folder}')]
    return ['docker', 'run', '--rm', '--init', '--gpus', 'all', '--network', 'host', '--ipc',
            'host', '--name', container_name(served),
            *(f'--env={name}={value}' for name, value in SWITCHES.items()),
            *mounts, toolkit.container, *command]


_COMMANDS: Final[dict[str, Callable[[Toolkit, Served], list[str]]]] = {
    'edgellm': _edgellm, 'trtllm': _trtllm, 'vllm': _vllm, 'llamacpp': _llamacpp}


def shown(command: list[str]) -> str:
    """Return a command as one would type it."""
    return shlex.join(command)


def limits_of(content: dict[str, Any]) -> Limits:
    """Return limits that were written as JSON.

    Raises:
        TypeError: they are none.
    """
    return Limits(**{name: int(value) for name, value in content.items()})


def as_json(limits: Limits) -> dict[str, int]:
    """Return limits to be written as JSON."""
    return asdict(limits)
