"""The model that ``--model`` and ``--engine`` name: for a command, or for the node it starts."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rtrack_ros.commands import CommandError

if TYPE_CHECKING:
    from rtrack_ros.engines.base import Engine
    from rtrack_ros.scheduling.putting import GroundsQueries

_OF_SERVER: Final = {'dialect': 'dialect', 'served_model': 'served_model',
                     'model_family': 'family', 'manifest': 'manifest',
                     'model_image_size': 'image_size'}
"""Names among the arguments, and those of the options of the engine 'server'."""


def is_served(args: argparse.Namespace) -> bool:
    """Return whether ``--model`` is the URL of a server."""
    return isinstance(args.model, str)


def model_place(args: argparse.Namespace) -> Path | str:
    """Return the folder or the URL of ``--model``, the folder of the shipped model without it."""
    from rtrack_ros.engines.registry import default_model

    return args.model or default_model()


def model_folder(args: argparse.Namespace) -> Path:
    """Return the folder of ``--model``, that of the shipped model without it.

    Raises:
        CommandError: it is the URL of a server.
    """
    if is_served(args):
        raise CommandError('this needs the model itself and no server; give its folder as --model')
    return Path(model_place(args))


def model_name(args: argparse.Namespace) -> str:
    """Return a name for tables: of the folder, else the server's for its model, or of its host."""
    if not is_served(args):
        return model_folder(args).name
    url = urlsplit(args.model)
    return getattr(args, 'served_model', None) or f'{url.hostname}-{url.port or url.scheme}'


def server_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return those options of the engine 'server' that are given.

    Raises:
        CommandError: there are some, and no server.
    """
    given = {option: getattr(args, name) for name, option in _OF_SERVER.items()
             if getattr(args, name, None) is not None}
    if given and not is_served(args):
        name = next(name for name, option in _OF_SERVER.items() if option in given)
        raise CommandError(f'--{name.replace("_", "-")} is about a server; name one with --model '
                           'http://HOST:PORT')
    return given


def node_parameters(args: argparse.Namespace) -> dict[str, str]:
    """Return the parameters of the tracker node that choose the same engine and model.

    Raises:
        CommandError: options of a server are given, and no server.
    """
    parameters = {'engine.name': str(args.engine)}
    if args.model is not None:
        parameters['engine.model'] = args.model if is_served(args) else str(args.model.resolve())
    for option, value in server_options(args).items():
        if isinstance(value, tuple):
            value = 'x'.join(map(str, value))
        parameters[f'engine.server.{option}'] = str(
            value.resolve() if isinstance(value, Path) else value)
    return parameters


@contextmanager
def opened_engine(args: argparse.Namespace) -> 'Iterator[Engine]':
    """Load the engine, and close it at the end.

    Raises:
        CommandError: options of a server are given, and no server.
        EngineError: it cannot be loaded; the message names the remedy.
    """
    from rtrack_ros.engines.registry import load_engine

    engine = load_engine(args.engine, model_place(args), **server_options(args))
    try:
        yield engine
    finally:
        engine.close()


def warn_if_it_fails(engine: 'Engine') -> None:
    """Run the self-test, and say on stderr what it finds wrong with the engine."""
    from rtrack_ros.commands.terminal import console
    from rtrack_ros.language.self_test import run_self_test

    run_self_test(engine, 'warn', lambda text: console(stderr=True).print(f'warning: {text}',
                                                                          markup=False))


@contextmanager
def opened_grounder(args: argparse.Namespace) -> 'Iterator[GroundsQueries]':
    """Load the engine and yield what grounds sentences with it, as ``--refine`` says.

    Raises:
        CommandError: options of a server are given, and no server.
        EngineError: it cannot be loaded; the message names the remedy.
    """
    from rtrack_ros.language.refine import make_grounder

    with opened_engine(args) as engine:
        yield make_grounder(engine, refine=args.refine)
