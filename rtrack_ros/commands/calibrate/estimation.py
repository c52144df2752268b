"""What ``rtrack calibrate`` finds in a recording: the homography first, then the time offset."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.reading import RecordedPairs
from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.intake.config import IntakeConfig, ThermalConfig
from rtrack_ros.intake.registration import (
    Matrix,
    Registration,
    edges,
    onto_grid,
    register,
)
from rtrack_ros.intake.stamp_offset import StampOffset, StampOffsetMeter

Opened = Callable[[IntakeConfig | None], RecordedPairs]

# A fit below this agreement of edges, or above this residual in RGB pixels, is not believed.
_LEAST_AGREEMENT, _MOST_RESIDUAL_PX = 0.12, 3.0
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was found.

    Attributes:
        registration: From thermal stretched to the size of RGB, as in ``pairs``, to RGB pixels.
        matrix: 3x3, from the thermal camera's own pixels to RGB pixels.
        offset: Of the stamps; None where too little moves.
        pairs: Some of the pairs, with thermal as if both cameras saw the same field.
    """

    registration: Registration
    matrix: Matrix
    offset: StampOffset | None
    pairs: list[FramePair]

    @property
    def trusted(self) -> bool:
        """Whether the homography can be believed."""
        fit = self.registration
        return fit.agreement >= _LEAST_AGREEMENT and fit.residual_px <= _MOST_RESIDUAL_PX


def calibrate(opened: Opened, wanted: int, seconds: float) -> Calibration:
    """Return homography and time offset of the two cameras of a recording.

    Args:
        opened: Opens the recording with settings of the intake.
        wanted: Pairs that the homography is found by.
        seconds: Length of the part that the offset is measured in.

    Raises:
        DataError: the recording cannot be read, or has no pair with thermal.
        RegistrationError: too little is seen by both cameras.
    """
    recording = opened(None)
    pairs = _spread(recording, wanted)
    thermal_size = recording.tally.thermal_size
    if not pairs or thermal_size is None:
        raise DataError('no RGB image has a thermal image of its own instant; check that both '
                        f'cameras are in the recording ({recording.tally.sentence})')
    size = pairs[0].width, pairs[0].height
    fit = register([pair.rgb for pair in pairs],
                   [pair.thermal for pair in pairs if pair.thermal is not None])
    # The pairs show thermal stretched to the size of RGB; the camera has its own pixels.
    matrix = fit.matrix @ onto_grid(thermal_size, size)
    matrix = matrix / matrix[2, 2]
    registered = IntakeConfig(thermal=ThermalConfig(homography=matrix.ravel().tolist()))
    return Calibration(fit, matrix, _offset(opened(registered), seconds), pairs)


def parameters_yaml(found: Calibration) -> str:
    """Return the parameters as a file for the node's ``params_file`` and ``rtrack --params``."""
    numbers = ', '.join(repr(float(f'{value:.9g}')) for value in found.matrix.ravel())
    fit, offset = found.registration, found.offset
    lines = ['# Written by rtrack calibrate.',
             f'# Residual {fit.residual_px:.2f} RGB pixels in {fit.blocks} parts of the image; '
             f'edges agree {fit.agreement:.2f}.',
             '/**:', '  ros__parameters:', f'    thermal.homography: [{numbers}]']
    lines.append('    # The time offset could not be measured: too little moved.'
                 if offset is None else
                 f"    sync.thermal_offset_ms: '{offset.offset_ms:.0f}'")
    return '\n'.join(lines) + '\n'


def png(found: Calibration) -> bytes:
    """Return a PNG file: RGB with the edges of thermal in red, before on the left, then after."""
    rows = []
    for pair in found.pairs[::max(1, len(found.pairs) // _SHOWN)][:_SHOWN]:
        assert pair.thermal is not None
        moved = cv2.warpPerspective(pair.thermal, found.registration.matrix,
                                    (pair.width, pair.height))
        rows.append(np.hstack([_overlaid(pair.rgb, pair.thermal),
                               _overlaid(pair.rgb, np.asarray(moved, np.uint8))]))
    return bytes(cv2.imencode('.png', cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))[1])


def _overlaid(rgb: Image8, thermal: Image8) -> Image8:
    strength = np.clip(np.abs(edges(thermal)) * 2.5 - 0.6, 0, 1)[:, :, None]
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[:, :, None].repeat(3, axis=2)
    red = np.array([255.0, 40.0, 40.0])
    return np.asarray(grey * (1 - strength) + red * strength, np.uint8)


def _spread(recording: RecordedPairs, wanted: int) -> list[FramePair]:
    """Return pairs with fresh images, spread over a recording."""
    step = max(1, len(recording) // wanted)
    pairs: list[FramePair] = []
    for number, pair in enumerate(recording):
        if number >= len(pairs) * step and len(pairs) < wanted and pair.rgb_fresh \
                and pair.thermal_fresh and (not pairs or pair.rgb.shape == pairs[0].rgb.shape):
            pairs.append(pair)
    return pairs


def _offset(recording: RecordedPairs, seconds: float) -> StampOffset | None:
    """Return the offset of the stamps, from the first part of a recording."""
    meter, begin_ns, shown_ns = StampOffsetMeter(longest_s=seconds), None, None
    for pair in recording:
        begin_ns = pair.stamp_ns if begin_ns is None else begin_ns
        if pair.stamp_ns - begin_ns > seconds * 1e9:
            break
        meter.add_rgb(pair.stamp_ns, pair.rgb)
        if pair.thermal is not None and pair.thermal_stamp_ns != shown_ns:
            shown_ns = pair.thermal_stamp_ns
            meter.add_thermal(pair.stamp_ns if shown_ns is None else shown_ns, pair.thermal)
    return meter.measure()
