"""The process that llama.cpp runs in, for as long as the one that started it lives.

Run as ``python -m rtrack_ros.engines.llamacpp.child SETTINGS`` with ``settings.ServerSettings`` as
JSON. It writes the URL on which it answers to standard output, and its log to standard error.
Standard input is a pipe from the process that started it: when that closes it or ends, however it
ends, this process ends as well.
"""

import fcntl
import json
import os
import select
import sys
from typing import Any

from rtrack_ros.engines.llamacpp.settings import ServerSettings

_ERRORS = 1
"""llama.cpp's level for errors alone; beyond it some questions are logged, and a log that grows
with them would fill the disk of a robot."""

_LOOPBACK = '127.0.0.1'
_LOOK_S = 1.0


def main() -> None:
    """Serve until the pipe closes."""
    parent = os.getppid()
    _end_with_pipe(sys.stdin.fileno())
    settings = ServerSettings(**json.loads(sys.argv[1]))
    os.nice(settings.niceness)
    try:
        server = _serve(settings)
    except RuntimeError as error:  # llama.cpp has said more before
        sys.exit(f'{error}')
    print(server.listening_address, flush=True)
    while os.getppid() == parent and not select.select([sys.stdin], [], [], _LOOK_S)[0]:
        pass
    # Its destructors would wait for what is being answered.
    os._exit(0)


def _end_with_pipe(pipe: int) -> None:
    """Have the kernel end this process by a signal when the other end of a pipe is closed.

    The model is loaded under Python's lock, so that no thread of ours could look meanwhile.
    """
    if not hasattr(fcntl, 'F_SETOWN'):
        return
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:
        os._exit(0)  # it was closed before


def _serve(settings: ServerSettings) -> Any:
    """Return a server that answers on a free port of the loopback interface."""
    import xllamacpp

    asked = xllamacpp.CommonParams()
    asked.model.path, asked.mmproj.path = settings.model, settings.projector
    # A set in this release; a list or one text in others.
    asked.model_alias = ({settings.alias} if isinstance(asked.model_alias, set)
                         else [settings.alias] if isinstance(asked.model_alias, list)
                         else settings.alias)
    asked.hostnames, asked.port = [_LOOPBACK], 0
    asked.cors_origins = f'http://{_LOOPBACK}'  # no page in a browser may ask
    asked.ui = asked.endpoint_slots = asked.warmup = False
    asked.use_jinja = True
    # Thinking costs seconds; a template that knows of none does not look.
    asked.default_template_kwargs = {'enable_thinking': 'false'}
    asked.n_parallel, asked.n_ctx = settings.slots, settings.context * settings.slots
    asked.cpuparams.n_threads = asked.cpuparams_batch.n_threads = settings.threads
    # No question comes twice: nothing is gained by keeping old ones in memory.
    asked.cache_ram_mib = 0
    asked.verbosity = _ERRORS
    return xllamacpp.Server(asked)


if __name__ == '__main__':
    main()
