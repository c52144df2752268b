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

from rtrack_ros.engines.llamacpp.loading import start_server
from rtrack_ros.engines.llamacpp.settings import ServerSettings

_LOOK_S = 1.0


def main() -> None:
    """Serve until the pipe closes."""
    parent = os.getppid()
    _end_with_pipe(sys.stdin.fileno())
    settings = ServerSettings(**json.loads(sys.argv[1]))
    try:
        server = start_server(settings)
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


if __name__ == '__main__':
    main()
