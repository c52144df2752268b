"""The ring of past frames: small images, measured motion, and every track's state at each frame.

It is what makes a late answer as good as a prompt one: the answer is matched to the states as they
were, and its corrections run again through the motion that was measured since.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import FramePair, Image8, Region
from rtrack_ros.tracking.motion.flow import CornerMap
from rtrack_ros.tracking.motion.kalman import Affine

# The ring covers this many times the worst delay, which fades by this factor with every answer.
_COVER = 2.0
_DELAY_MEMORY = 0.98
# Share of its sides by which a box may be off that says anything of where its object is.
_VAGUE = 0.2

STILL: Affine = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True)
class Views:
    """The small images of one frame pair, all but ``fine`` of one size.

    Attributes:
        rgb: uint8 (h, w, 3), RGB order.
        grey: uint8 (h, w), luminance of ``rgb``.
        thermal: uint8 (h, w), None when the thermal camera is silent.
        scale: (x, y) view pixels per RGB pixel.
        fine: uint8 (H, W, 2), luminance and thermal in more detail; no thermal is black.
    """

    rgb: Image8
    grey: Image8
    thermal: Image8 | None
    scale: tuple[float, float]
    fine: Image8

    @classmethod
    def of(cls, pair: FramePair, width: int, fine_width: int) -> 'Views':
        """Return the views of a pair, at most ``width`` and ``fine_width`` pixels wide."""
        size = _size(pair, width)
        rgb = _shrink(pair.rgb, size)
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
        thermal = None if pair.thermal is None else _shrink(pair.thermal, size)
        return cls(rgb, grey, thermal, (size[0] / pair.width, size[1] / pair.height),
                   _fine(pair, _size(pair, fine_width)))

    @cached_property
    def corners(self) -> CornerMap:
        """Corners of ``grey``, found when they are first asked for."""
        return CornerMap(self.grey)

    @cached_property
    def thermal_corners(self) -> CornerMap:
        """Corners of ``thermal``; asking without a thermal image is an error."""
        assert self.thermal is not None
        return CornerMap(self.thermal)


def _size(pair: FramePair, width: int) -> tuple[int, int]:
    if pair.width <= width:
        return pair.width, pair.height
    return width, max(1, round(pair.height * width / pair.width))


def _fine(pair: FramePair, size: tuple[int, int]) -> Image8:
    grey = cv2.cvtColor(pair.rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    thermal = np.zeros_like(grey) if pair.thermal is None else pair.thermal
    return cv2.merge([_shrink(grey, size), _shrink(thermal, size)]).astype(np.uint8, copy=False)


def _shrink(image: Image8, size: tuple[int, int]) -> Image8:
    if (image.shape[1], image.shape[0]) == size:
        return image.copy()
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


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
class Sight:
    """Where the Siamese network sees the object of a track, see ``tracking.appearance.siamese``.

    Attributes:
        box: (4,) x1, y1, x2, y2 in RGB pixels.
        sigma: (4,) standard deviation of centre x, y, width and height in RGB pixels.
        present: Probability that the object is in the window at all, in [0, 1].
        apart_s: Seconds since the look before; looks that follow each other closely err alike.
    """

    box: NDArray[np.float64]
    sigma: NDArray[np.float64]
    present: float
    apart_s: float = math.inf

    def finds(self, least: float) -> bool:
        """Whether the object is there with probability ``least``, and roughly known where."""
        extent = self.box[2:] - self.box[:2]
        return self.present >= least and bool((self.sigma[:2] < _VAGUE * extent).all())


@dataclass(frozen=True)
class Swing:
    """A width that swings with every step.

    Attributes:
        usual: Pixels about which it swings.
        untold_s: Seconds since the network last told it.
    """

    usual: float
    untold_s: float


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
        sights: Where the network saw tracks on this frame, by track id; few are looked for.
        swings: Of whose width swings, by track id, see ``tracking.motion.width_model``.
        corrections: Boxes that answers gave on this frame, by track id, those of births included.
        answered: (query id, epoch) of the answers applied to this frame, those being written not
            yet.
        heard: By (query id, epoch), the track of every box applied so far, by the box's place in
            the answer.
    """

    stamp_ns: int
    dt_s: float
    views: Views
    size: tuple[int, int]
    camera: Affine = field(default_factory=STILL.copy)
    motions: dict[int, Motion] = field(default_factory=dict)
    states: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    coasting_s: dict[int, float] = field(default_factory=dict)
    sights: dict[int, Sight] = field(default_factory=dict)
    swings: dict[int, Swing] = field(default_factory=dict)
    corrections: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)
    answered: set[tuple[str, int]] = field(default_factory=set)
    heard: dict[tuple[str, int], dict[int, int]] = field(default_factory=dict)

    @property
    def region(self) -> Region:
        """The whole RGB image: 0, 0, width, height."""
        return 0, 0, *self.size

    def stack(self, ids: list[int]) -> NDArray[np.float64]:
        """Return the states of ``ids`` as (N, 5, 4)."""
        if not ids:
            return np.zeros((0, 5, 4))
        return np.stack([self.states[track_id] for track_id in ids])


class History:
    """Frames in stamp order, kept for twice as long as answers take.

    Args:
        least_s: Seconds kept whatever the delay of answers.
        most_s: Seconds kept at most, for the memory's sake.
    """

    def __init__(self, least_s: float, most_s: float) -> None:
        self._least_s, self._most_s = least_s, max(least_s, most_s)
        self._worst_delay_s = 0.0
        self._frames: list[Frame] = []

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def newest(self) -> Frame | None:
        """The last frame, None before the first."""
        return self._frames[-1] if self._frames else None

    @property
    def oldest_ns(self) -> int | None:
        """Stamp of the oldest frame kept."""
        return self._frames[0].stamp_ns if self._frames else None

    @property
    def span_s(self) -> float:
        """Seconds for which frames are kept."""
        return min(max(self._least_s, _COVER * self._worst_delay_s), self._most_s)

    def expect_delay(self, delay_s: float) -> None:
        """Note how late an answer was; one that was slow for once is forgotten by and by.

        No delay counts for more than the ring can hold: after a jump of the clock an answer looks
        hours late, and would be remembered for as long.
        """
        self._worst_delay_s = max(min(delay_s, self._most_s), self._worst_delay_s * _DELAY_MEMORY)

    def append(self, frame: Frame) -> None:
        """Add the newest frame and drop what is too old."""
        self._frames.append(frame)
        horizon = frame.stamp_ns - int(self.span_s * 1e9)
        drop = bisect_left(self._frames, horizon, key=lambda kept: kept.stamp_ns)
        del self._frames[:drop]

    def at(self, stamp_ns: int) -> Frame | None:
        """Return the frame with exactly this stamp."""
        index = bisect_left(self._frames, stamp_ns, key=lambda kept: kept.stamp_ns)
        if index < len(self._frames) and self._frames[index].stamp_ns == stamp_ns:
            return self._frames[index]
        return None

    def since(self, stamp_ns: int) -> list[Frame]:
        """Return the frames with this stamp or a later one, in order."""
        index = bisect_left(self._frames, stamp_ns, key=lambda kept: kept.stamp_ns)
        return self._frames[index:]

    def before(self, stamp_ns: int) -> list[Frame]:
        """Return the frames with earlier stamps, in order."""
        return self._frames[:bisect_left(self._frames, stamp_ns, key=lambda kept: kept.stamp_ns)]

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()

    def forget(self, track_ids: set[int]) -> None:
        """Forget removed tracks on every frame."""
        for frame in self._frames:
            for by_id in (frame.motions, frame.states, frame.coasting_s, frame.sights,
                          frame.swings, frame.corrections):
                for track_id in track_ids & by_id.keys():
                    del by_id[track_id]


def joined(first: Affine, second: Affine) -> Affine:
    """Return the camera motion ``first`` (2x3) followed by ``second`` (2x3)."""
    last = np.array([0.0, 0.0, 1.0])
    return np.asarray((np.vstack([second, last]) @ np.vstack([first, last]))[:2])


def compose(frames: Sequence[Frame]) -> Affine:
    """Return the camera motion over several frames, from before the first to the last."""
    total = STILL
    for frame in frames:
        total = joined(total, frame.camera)
    return total
