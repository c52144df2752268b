"""The recording that a command reads: opened as the node would take it, and accounted for."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.intake.transports import topic_of

if TYPE_CHECKING:
    from rtrack_ros.commands.results import Results
    from rtrack_ros.data.pairs import Tally
    from rtrack_ros.data.reading import RecordedPairs
    from rtrack_ros.engines.base import Engine


def parameter_values(path: Path | None) -> dict[str, Any] | None:
    """Return the values of a parameter file of the node, None for none.

    Raises:
        CommandError: it cannot be used.
    """
    from rtrack_ros.commands.terminal import console
    from rtrack_ros.parameters.yaml_file import ParameterFileError, read_parameters

    if path is None:
        return None
    try:
        values, unknown = read_parameters(path)
    except ParameterFileError as error:
        raise CommandError(f'--params: {error}') from error
    if unknown:
        console(stderr=True).print(f'warning: {path}: the node knows no {", ".join(unknown)}',
                                   markup=False, soft_wrap=True)
    return values


def opened_pairs(args: argparse.Namespace, values: dict[str, Any] | None) -> 'RecordedPairs':
    """Return the frame pairs of ``--rgb`` and ``--thermal``, or of the topics of a bag.

    Args:
        args: With ``rgb``, ``thermal``, ``fps``, ``rgb_topic`` and ``thermal_topic``.
        values: Parameters of the node; None takes the defaults.

    Raises:
        DataError: an input is missing or unreadable.
    """
    from rtrack_ros.data.videos import open_pairs
    from rtrack_ros.parameters.values import intake_config

    config = None if values is None else intake_config(values)
    rgb, thermal = (_transported(getattr(args, f'{camera}_topic'), values, camera)
                    for camera in ('rgb', 'thermal'))
    return open_pairs(args.rgb, args.thermal, args.fps, config, rgb, thermal)


def _transported(topic: str | None, values: dict[str, Any] | None, camera: str) -> str | None:
    """Return the topic that the node would subscribe to."""
    if topic is None or values is None:
        return topic
    return topic_of(topic, values[f'{camera}.transport'])


@contextmanager
def node_engine(args: argparse.Namespace, values: dict[str, Any]) -> 'Iterator[Engine]':
    """Load the engine of a parameter file, unless the command names another; close it at the end.

    Raises:
        EngineError: it cannot be loaded, or fails its self-test; the message names the remedy.
    """
    from rtrack_ros.commands.model import opened_engine, warn_if_it_fails
    from rtrack_ros.commands.terminal import console
    from rtrack_ros.parameters.engine import load, self_tested

    if args.model is not None or args.engine != 'auto':
        with opened_engine(args) as engine:
            warn_if_it_fails(engine)
            yield engine
        return
    engine = load(values)
    try:
        self_tested(engine, values, lambda text: console(stderr=True).print(
            f'warning: {text}', markup=False, soft_wrap=True))
        yield engine
    finally:
        engine.close()


def say_losses(tally: 'Tally', results: 'Results', allowed_percent: float) -> int:
    """Say what a reading used and left out; returns 1 where too much was lost, else 0.

    All thermal images are too much: their times are wrong, or they are of another recording.
    """
    results.show(tally.sentence, *tally.notes)
    if tally.thermal_unused:
        results.show(f'not one of {tally.thermal.images} thermal images could be used')
        return 1
    if tally.lost_share * 100 <= allowed_percent:
        return 0
    results.show(f'{tally.lost_share:.0%} of the images could not be used, more than '
                 f'--allow-missing {allowed_percent:g} %')
    return 1
