"""The model that ``--model`` and ``--engine`` name: for a command, or for the node it starts."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtrack_ros.engines.base import Engine
    from rtrack_ros.scheduling.worker import GroundsQueries


def model_folder(args: argparse.Namespace) -> Path:
    """Return the folder of ``--model``, that of the shipped model without it."""
    from rtrack_ros.engines.registry import default_model

    return args.model or default_model()


def node_parameters(args: argparse.Namespace) -> dict[str, str]:
    """Return the parameters of the tracker node that choose the same engine and model."""
    parameters = {'engine.name': str(args.engine)}
    if args.model is not None:
        parameters['engine.model'] = str(args.model.resolve())
    return parameters


@contextmanager
def opened_engine(args: argparse.Namespace) -> 'Iterator[Engine]':
    """Load the engine, and close it at the end.

    Raises:
        EngineError: it cannot be loaded; the message names the remedy.
    """
    from rtrack_ros.engines.registry import load_engine

    engine = load_engine(args.engine, model_folder(args))
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
        EngineError: it cannot be loaded; the message names the remedy.
    """
    from rtrack_ros.language.refine import make_grounder

    with opened_engine(args) as engine:
        yield make_grounder(engine, refine=args.refine)
