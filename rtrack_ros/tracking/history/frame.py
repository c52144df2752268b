"""A past frame: its small images, its measured motion, and every track's state on it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Region
from rtrack_ros.tracking.history.views import Views

Affine = NDArray[np.float64]

# Largest error, as a share of its sides, of a box that still says where its object is.
_VAGUE = 0.2

STILL: Affine = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True)
class Motion:
    """How one box moved from the previous frame to this one, camera motion included.

    Attributes:
        shift: x, y of the centre in RGB pixels.
        growth: New size over old size.
        sigma: Standard deviation of ``shift`` in RGB pixels.
    """

    shift: tuple[float, float]
    growth: float
    sigma: float


@dataclass(frozen=True, eq=False)
class SiameseMeasurement:
    """Where the Siamese network sees the object of a track, see ``tracking.appearance.siamese``.

    Attributes:
        box: (4,) x1, y1, x2, y2 in RGB pixels.
        sigma: (4,) standard deviation of centre x, y, width and height in RGB pixels.
        present: Probability that the object is in the window at all, in [0, 1].
        interval_s: Seconds since the measurement before; the closer the two, the more alike their
            errors.
    """

    box: NDArray[np.float64]
    sigma: NDArray[np.float64]
    present: float
    interval_s: float = math.inf

    def finds(self, least: float) -> bool:
        """Whether the object is there with probability ``least``, and roughly known where."""
        extent = self.box[2:] - self.box[:2]
        return self.present >= least and bool((self.sigma[:2] < _VAGUE * extent).all())


@dataclass(frozen=True, eq=False)
class GivenBox:
    """A box that an answer or a detector gave for a track.

    Attributes:
        box: (4,) x1, y1, x2, y2 in RGB pixels.
        sigma: (4,) standard deviation of centre x, y, width and height in RGB pixels.
    """

    box: NDArray[np.float64]
    sigma: NDArray[np.float64]


@dataclass(frozen=True)
class WidthState:
    """A width that oscillates with every step.

    Attributes:
        usual: Pixels about which it oscillates.
        unmeasured_s: Seconds since the network last measured it.
    """

    usual: float
    unmeasured_s: float


@dataclass
class Frame:
    """One instant of the past.

    Attributes:
        stamp_ns: Stamp of the pair.
        dt_s: Seconds since the frame before it.
        views: Small images.
        size: (width, height) of the RGB image in pixels.
        camera: Background motion since the frame before, 2x3 similarity, RGB pixels.
        motions: Measured motion by track id; a missing id means the box coasts.
        states: Kalman state (5, 4) by track id, after this frame's measurements.
        coasting_s: Seconds without flow by track id; absent means 0.
        measurements: Where the network saw tracks on this frame, by track id; few are looked for.
        sightings: Where the correlation filters saw targets, by track id, see
            ``tracking.target_sight``.
        width_states: Of tracks whose width oscillates, by track id, see
            ``tracking.motion.width_model``.
        corrections: Boxes that were given on this frame, by track id, those of births included.
        answered: (query id, epoch) of the whole answers applied to this frame; None for a set of
            detections.
        applied_boxes: By the same, the track of every box applied so far, by the box's place in
            the answer.
        withdrawn: (query id, epoch) of answers about this frame that failed before their end.
    """

    stamp_ns: int
    dt_s: float
    views: Views
    size: tuple[int, int]
    camera: Affine = field(default_factory=STILL.copy)
    motions: dict[int, Motion] = field(default_factory=dict)
    states: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    coasting_s: dict[int, float] = field(default_factory=dict)
    measurements: dict[int, SiameseMeasurement] = field(default_factory=dict)
    sightings: dict[int, GivenBox] = field(default_factory=dict)
    width_states: dict[int, WidthState] = field(default_factory=dict)
    corrections: dict[int, GivenBox] = field(default_factory=dict)
    answered: set[tuple[str, int] | None] = field(default_factory=set)
    withdrawn: set[tuple[str, int]] = field(default_factory=set)
    applied_boxes: dict[tuple[str, int] | None, dict[int, int]] = field(default_factory=dict)

    @property
    def region(self) -> Region:
        """The whole RGB image: 0, 0, width, height."""
        return 0, 0, *self.size

    def stack(self, ids: list[int]) -> NDArray[np.float64]:
        """Return the states of ``ids`` as (N, 5, 4)."""
        if not ids:
            return np.zeros((0, 5, 4))
        return np.stack([self.states[track_id] for track_id in ids])


def joined(first: Affine, second: Affine) -> Affine:
    """Return the camera motion ``first`` (2x3) followed by ``second`` (2x3)."""
    last = np.array([0.0, 0.0, 1.0])
    return np.asarray((np.vstack([second, last]) @ np.vstack([first, last]))[:2])


def compose_affine(frames: Sequence[Frame]) -> Affine:
    """Return the camera motion over several frames, from before the first to the last."""
    total = STILL
    for frame in frames:
        total = joined(total, frame.camera)
    return total
