"""llama.cpp's server from its Python package, with the options of ``llama-server``.

Run as ``python -m rtrack_ros.engines.llamacpp.program`` where that program is not installed. It
serves until it gets a signal.
"""

import argparse
import signal
import sys

from rtrack_ros.engines.llamacpp.loading import start_server
from rtrack_ros.engines.llamacpp.settings import ServerSettings

_PASSED_OVER = ('--cache-ram', '--log-verbosity', '--chat-template-kwargs')
"""Options whose values are those that it has at all times."""


def read_settings(arguments: list[str]) -> ServerSettings:
    """Return what options of ``llama-server`` say; only those that we pass are known."""
    parser = argparse.ArgumentParser(prog='llama-server', allow_abbrev=False)
    parser.add_argument('-m', required=True)
    parser.add_argument('--mmproj', required=True)
    parser.add_argument('--alias', required=True)
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=8080)
    parser.add_argument('-c', type=int, default=4096, help='tokens of all slots together')
    parser.add_argument('-np', type=int, default=1, help='questions at once')
    parser.add_argument('-t', type=int, default=1, help='threads')
    parser.add_argument('--jinja', action='store_true')
    for option in _PASSED_OVER:
        parser.add_argument(option)
    given = parser.parse_args(arguments)
    # Whoever starts it gives it its priority.
    return ServerSettings(given.m, given.mmproj, given.alias, given.t, 0, given.np,
                          given.c // given.np, given.host, given.port)


def main() -> None:
    """Serve until a signal ends the process."""
    # llama.cpp holds Python's lock while it loads a model: only the kernel can end it then.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        server = start_server(read_settings(sys.argv[1:]))
    except RuntimeError as error:
        sys.exit(f'{error}')
    print(f'listening on {server.listening_address}', flush=True)
    while True:
        signal.pause()


if __name__ == '__main__':
    main()
