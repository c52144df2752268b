"""``rtrack serve``: start the right server for a model, and end it."""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add

if TYPE_CHECKING:
    from rtrack_ros.engines.targets.engine_folder import EngineFolder
    from rtrack_ros.engines.targets.servers import Served
    from rtrack_ros.engines.targets.toolkits import Toolkit

_LOOK_S = 0.2


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'serve', help='start the right server for a model, and end it',
        description='Start the server of an engine folder that rtrack compile wrote, of a model '
                    'folder (vLLM), or of a GGUF model (llama.cpp), on this machine alone. Wait '
                    'until it answers, test it, and print what the node takes. Ctrl-C ends it.')
    parser.add_argument('source', metavar='FOLDER',
                        help='engine folder, model folder, GGUF file or its folder')
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
    from rtrack_ros.engines.targets.engine_folder import ENGINE_MANIFEST, EngineFolder
    from rtrack_ros.engines.targets.servers import server_command, shown

    source = Path(args.source)
    compiled = (source / ENGINE_MANIFEST).is_file()
    facts = EngineFolder.read(source) if compiled else None
    if not args.dry_run and not source.exists():
        # Before the server is looked for, or a slip of the pen asks for another installation.
        raise CommandError(f'{source} is not there; give an engine folder, a model folder or a '
                           'GGUF file')
    toolkit = _toolkit(args, facts)
    what = _served(args, source, facts)
    if args.dry_run:
        print(shown(server_command(toolkit, what)))
        return 0
    if facts is not None and args.self_test != 'refuse':
        facts = replace(facts, self_test={})
    if facts is not None:
        _check(source, facts, toolkit)
    return _serve(args, what, toolkit)


def _toolkit(args: argparse.Namespace, facts: 'EngineFolder | None') -> 'Toolkit':
    from rtrack_ros.engines.targets.toolkits import assumed_toolkit, find_toolkit

    source = Path(args.source)
    engine = facts.engine if facts else _server_of(args, source)
    container = args.container or (facts.container if facts else '')
    if args.dry_run:
        return assumed_toolkit(engine, facts.toolkit_version if facts else '', container)
    return find_toolkit(engine, args.environment, container)


def _server_of(args: argparse.Namespace, source: Path) -> str:
    """Return the server for a model that was not compiled."""
    holds_gguf = source.suffix == '.gguf' or (source.is_dir() and any(source.glob('*.gguf')))
    return args.server or ('llamacpp' if holds_gguf else 'vllm')


def _served(args: argparse.Namespace, source: Path, facts: 'EngineFolder | None') -> 'Served':
    from rtrack_ros.engines.targets.servers import Served, gguf_pair
    from rtrack_ros.playback.serving import free_port

    port = args.port if args.dry_run else free_port(args.host, args.port)
    if facts is None:
        place = source.resolve() if source.exists() else source
        if _server_of(args, source) == 'llamacpp':
            # Its name tells the family; that of the folder may be anything.
            place = gguf_pair(place)[0]
        return Served(str(place), place.stem if place.suffix == '.gguf' else place.name,
                      host=args.host, port=port)
    folder = source.resolve()
    return Served(str(facts.checkpoint_path(folder)), facts.name, folder, facts.limits,
                  facts.memory_share, facts.quantise, args.host, port)


def _check(source: Path, facts: 'EngineFolder', toolkit: 'Toolkit') -> None:
    """Refuse an engine that does not match the machine or the toolkit."""
    from rtrack_ros.engines.targets.machine import probe_machine
    from rtrack_ros.engines.targets.readiness import check_free_memory

    machine = probe_machine()
    facts.check(source, machine, toolkit)
    check_free_memory(facts.memory_gb, machine)


def _serve(args: argparse.Namespace, what: 'Served', toolkit: 'Toolkit') -> int:
    from rtrack_ros.commands.building import prove
    from rtrack_ros.engines.targets.servers import server_command, shown
    from rtrack_ros.playback.processes import ProcessFailure
    from rtrack_ros.playback.serving import ended_once, served

    command = server_command(toolkit, what)
    logs = args.out or (what.folder / 'logs' if what.folder else
                        Path(tempfile.mkdtemp(prefix='rtrack-serve-')))
    print(f'starting: {shown(command)}\nlog: {logs}', file=sys.stderr, flush=True)
    try:
        with ended_once(), served(command, what, logs.resolve(), args.ready_timeout) as check:
            folder = _model_folder(what)
            prove(what, folder, args.self_test)
            print(_node_line(what, folder), flush=True)
            while True:
                check()
                time.sleep(_LOOK_S)
    except ProcessFailure as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        print('the server has ended', file=sys.stderr)
        return 0


def _model_folder(what: 'Served') -> Path:
    """Return the folder that knows the model: of the engine, if the model's facts lie there."""
    from rtrack_ros.engines.manifest import MANIFEST_NAME

    if what.folder is not None and (what.folder / MANIFEST_NAME).is_file():
        return what.folder
    model = Path(what.model)
    return model.parent if model.is_file() else model


def _node_line(what: 'Served', folder: Path) -> str:
    """Return the parameters of the node that ask this server."""
    from rtrack_ros.commands.building import model_options
    from rtrack_ros.engines.targets.servers import shown

    told = [f'engine.server.{name}:={value}'
            for name, value in model_options(folder, what.name).items()]
    return shown(['engine.name:=server', f'engine.model:={what.url}', *told])
