"""``rtrack serve``: start the right server for a model, and end it."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add

if TYPE_CHECKING:
    from rtrack_ros.commands.serving import Wanted

_LOOK_S = 0.2


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'serve', help='start the right server for a model, and end it',
        description='Start the server of an engine folder that rtrack compile wrote, of a model '
                    'folder (vLLM), or of a GGUF model (llama.cpp), on this machine alone. Wait '
                    'until it answers, test it, and print what the node takes. Ctrl-C ends it.')
    parser.add_argument('source', metavar='FOLDER',
                        help='engine folder, model folder, GGUF file or its folder, or a model '
                             'folder with what rtrack compile --engine llamacpp wrote')
    parser.add_argument('--server', choices=('vllm', 'llamacpp'),
                        help='server for a model that was not compiled '
                             '(default: llamacpp for GGUF, else vllm)')
    parser.add_argument('--host', default='127.0.0.1', metavar='ADDRESS',
                        help='address to listen on; 0.0.0.0 lets the network in '
                             '(default: %(default)s)')
    parser.add_argument('--port', type=int, default=8000, metavar='N',
                        help='TCP port; 0: any that is free (default: %(default)s)')
    add(parser, '--dry-run', help='print the command of the server and run nothing')
    add(parser, '--out', help='folder for the log of the server (default: FOLDER/logs of an '
                              'engine folder, else a temporary one)')
    add(parser, '--environment', '--container', '--ready-timeout', '--self-test')


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted; returns the exit status."""
    from rtrack_ros.commands.serving import Wanted
    from rtrack_ros.engines.targets.servers import server_command, shown

    source = Path(args.source)
    if not args.dry_run and not source.exists():
        # Before the server is looked for, or a slip of the pen asks for another installation.
        raise CommandError(f'{source} is not there; give an engine folder, a model folder or a '
                           'GGUF file')
    wanted = Wanted(source, args.server, args.host, args.port, args.environment, args.container,
                    args.out, args.ready_timeout, args.self_test)
    if args.dry_run:
        print(shown(server_command(wanted.assumed_toolkit(), wanted.served(args.port))))
        return 0
    return _serve(wanted)


def _serve(wanted: 'Wanted') -> int:
    from rtrack_ros.commands.serving import model_served
    from rtrack_ros.engines.targets.servers import shown
    from rtrack_ros.playback.processes import ProcessFailure
    from rtrack_ros.playback.serving import ended_once

    try:
        with ended_once(), model_served(wanted) as serving:
            print(shown([f'{name}:={value}' for name, value in serving.parameters.items()]),
                  flush=True)
            while True:
                serving.check()
                time.sleep(_LOOK_S)
    except ProcessFailure as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        print('the server has ended', file=sys.stderr)
        return 0
