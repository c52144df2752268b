"""Settings of the intake: how images are paired, scaled and registered."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.limits import Limits
from rtrack_ros.settings import check_settings, setting

AUTO = 'auto'
"""The offset of the stamps that is measured in the images."""
NOT_CALIBRATED = (0.0,) * 9
"""The homography of cameras of which nothing is known."""


@dataclass(frozen=True)
class SyncConfig:
    """How the images of two cameras become pairs; parameters ``sync.*``.

    Raises:
        ValueError: a value is out of its range.
    """

    slop_ms: float = setting(
        20.0, 'Largest stamp difference within a pair; raising it accepts worse partners', 'ms',
        (0.0, 1000.0))
    max_wait_ms: float = setting(
        30.0, 'Longest time an RGB image waits for its thermal partner; raising it pairs more and '
        'adds latency', 'ms', (0.0, 1000.0), advanced=True)
    thermal_timeout_ms: float = setting(
        500.0, 'Thermal silence after which RGB goes on alone at once; raising it waits longer '
        'for an unplugged camera', 'ms', (10.0, 60000.0), advanced=True)

    rgb_timeout_ms: float = setting(
        500.0, 'RGB silence after which thermal images are the clock, and boxes come at their '
        'rate; raising it waits longer for a pausing RGB camera', 'ms', (10.0, 60000.0),
        advanced=True)
    thermal_hold_ms: float = setting(
        250.0, 'Time for which the newest good thermal image goes on being shown with its own '
        'stamp, where the camera is slow, late or pausing; raising it shows older images', 'ms',
        (0.0, 5000.0), advanced=True)

    thermal_offset_ms: str = setting(
        '0', 'Thermal stamp minus RGB stamp of the same instant, a number; auto measures it in '
        'the images, where something moves, and uses what it found', 'ms', advanced=True)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.thermal_offset_ms != AUTO and not math.isfinite(self.offset_ms):
            raise ValueError('sync.thermal_offset_ms must be a finite number of milliseconds, or '
                             f'{AUTO}; got {self.thermal_offset_ms!r}')

    @property
    def offset_ms(self) -> float:
        """The offset at the start: the number given, 0 while it is still to be measured."""
        if self.thermal_offset_ms == AUTO:
            return 0.0
        try:
            return float(self.thermal_offset_ms)
        except ValueError:
            return math.nan


@dataclass(frozen=True)
class ThermalConfig:
    """How thermal images come to 8 bits and onto the RGB grid; parameters ``thermal.*``.

    Raises:
        ValueError: a value is out of its range, or the homography is none.
    """

    homography: Sequence[float] = setting(
        NOT_CALIBRATED, 'Row-major 3x3 homography from thermal to RGB pixels; nine zeros assume '
        'equal fields of view')
    scaling: str = setting(
        'auto', 'How raw counts become 8 bits; auto follows the scene by percentiles, linear '
        'keeps thermal.linear_low and linear_high', choices=('auto', 'linear'), advanced=True)
    linear_low: float = setting(
        0.0, 'Raw count shown black by linear scaling', 'counts', (-1e6, 1e6), advanced=True)
    linear_high: float = setting(
        65535.0, 'Raw count shown white by linear scaling', 'counts', (-1e6, 1e6), advanced=True)

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.linear_low < self.linear_high:
            raise ValueError('thermal.linear_low must be below thermal.linear_high')
        homography_matrix(self.homography)

    @property
    def limits(self) -> tuple[float, float] | None:
        """Fixed (low, high) raw counts, None where the scene is followed."""
        return (self.linear_low, self.linear_high) if self.scaling == 'linear' else None


@dataclass(frozen=True)
class IntakeConfig:
    """All settings of the intake.

    Attributes:
        sync: Pairing.
        thermal: Scaling and registration.
        limits: Of these ``image_mpx``.
    """

    sync: SyncConfig = field(default_factory=SyncConfig)
    thermal: ThermalConfig = field(default_factory=ThermalConfig)
    limits: Limits = field(default_factory=Limits)


def homography_matrix(values: Sequence[float]) -> NDArray[np.float64] | None:
    """Return the 3x3 matrix of nine numbers, None for nine zeros: not calibrated.

    Raises:
        ValueError: not nine numbers of an invertible matrix.
    """
    matrix = np.asarray(values, np.float64)
    if matrix.shape != (9,) or not np.isfinite(matrix).all():
        raise ValueError('thermal.homography needs nine finite numbers, row by row')
    if not matrix.any():
        return None
    if abs(np.linalg.det(matrix.reshape(3, 3))) < 1e-12:
        raise ValueError('thermal.homography cannot be inverted; give nine zeros where the '
                         'cameras are not calibrated')
    return matrix.reshape(3, 3)
