"""The detector that a command runs beside the model."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add

if TYPE_CHECKING:
    from rtrack_ros.detectors.config import DetectorConfig


def add_detector(parser: 'argparse._ActionsContainer') -> None:
    """Add the path of a detector's network."""
    add(parser, '--detector')


def detector_config(path: Path | None, values: dict[str, Any] | None) -> 'DetectorConfig':
    """Return the settings of the detector: the path of the option before the parameter file.

    Args:
        path: Of ``--detector``; None where it was not given.
        values: Parameters of the node; None takes the defaults.
    """
    from rtrack_ros.detectors.config import DetectorConfig
    from rtrack_ros.parameters.values import detector_config as of_values

    config = DetectorConfig() if values is None else of_values(values)
    if path is None:
        return config
    return replace(config, name='auto' if config.name == 'none' else config.name, model=str(path))


def detector_parameters(path: Path | None) -> dict[str, str]:
    """Return the parameters of the node that choose the same detector.

    Raises:
        CommandError: there is nothing at the path.
    """
    if path is None:
        return {}
    if not path.exists():
        raise CommandError(f'--detector: there is no {path}; fetch PicoDet with: make picodet')
    return {'detector.name': 'auto', 'detector.model': str(path.resolve())}
