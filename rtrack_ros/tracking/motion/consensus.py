"""What the flow points of a box agree on, for all boxes at once.

Points are held as padded arrays (N boxes, P points, 2) with a mask. Medians throughout: a box
always shows some background (median flow, Kalal et al., 2010). The compiled core does the same in
a tenth of the time; what is here says how, and serves where the core is missing.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.tracking.compiled import CORE, Core
from rtrack_ros.tracking.history.corners import Indices
from rtrack_ros.tracking.history.frame import Affine
from rtrack_ros.tracking.motion.flow import Flow

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_PIXEL_SIGMA = 0.12
_LARGEST_GROWTH = 1.15
_MIN_REACH_PX = 1.2
_MIN_SHARE = 0.2
_MIN_VALID = 0.3
_MOVING_PX = 1.0
_MOVING_SHARE = 0.3
_LARGEST_SPREAD_PX = 1.5
# Points needed to measure a growth, and how far from the middle they must lie.
_GROWTH_POINTS = 5
_GROWTH_LEVER_PX = 2.0
# The same for the compiled core, in the order of ``rtrack::ConsensusSettings``.
_FOR_CORE = (_PIXEL_SIGMA, _LARGEST_GROWTH, _MIN_REACH_PX, _MIN_SHARE, _MIN_VALID, _MOVING_PX,
             _MOVING_SHARE, _LARGEST_SPREAD_PX, _GROWTH_POINTS, _GROWTH_LEVER_PX)


@dataclass(frozen=True)
class Sample:
    """The points that came back to where they began, box by box.

    Attributes:
        start: (N, P, 2) pixels in the first image.
        end: (N, P, 2) pixels in the second image.
        valid: (N, P) which entries are points.
        share: (N,) share of the points followed that came back.
    """

    start: Array
    end: Array
    valid: Mask
    share: Array

    @classmethod
    def of(cls, flow: Flow, owner: Indices, shape: tuple[int, int]) -> 'Sample':
        """Return the points of a flow that belong to each box.

        Args:
            flow: Flow of points; the first are those of the boxes.
            owner: (M,) box of each of these, sorted.
            shape: Number of boxes and most points per box.
        """
        count, width = shape
        followed = np.bincount(owner, minlength=count)
        came_back = flow.valid[:len(owner)]
        owner = owner[came_back]
        kept = np.bincount(owner, minlength=count)
        slot = np.arange(len(owner)) - (np.cumsum(kept) - kept)[owner]
        start, end = np.zeros((count, width, 2)), np.zeros((count, width, 2))
        start[owner, slot] = flow.start[:len(came_back)][came_back]
        end[owner, slot] = flow.end[:len(came_back)][came_back]
        valid = np.arange(width) < kept[:, None]
        return cls(start, end, valid, kept / np.maximum(followed, 1))

    @classmethod
    def stacked(cls, samples: Sequence['Sample']) -> 'Sample':
        """Return the boxes of several samples of one width one after another."""
        return cls(*(np.concatenate([getattr(sample, item.name) for sample in samples])
                     for item in fields(cls)))


@dataclass(frozen=True)
class Consensus:
    """The motion of every box, where the points agree.

    Attributes:
        shift: (N, 2) of the centre, pixels.
        growth: (N,) new size over old size.
        sigma: (N,) standard deviation of ``shift`` in pixels.
        known: (N,) whether the points agree at all; the rest means nothing where False.
    """

    shift: Array
    growth: Array
    sigma: Array
    known: Mask

    def part(self, rows: slice) -> 'Consensus':
        """Return some of the boxes."""
        return Consensus(self.shift[rows], self.growth[rows], self.sigma[rows], self.known[rows])


def agree(sample: Sample, centres: Array, expected: Array, reach: Array, camera: Affine,
          min_points: int, core: Core | None = CORE) -> Consensus:
    """Return the motion that the points of each box agree on.

    Args:
        sample: Points of N boxes.
        centres: (N, 2) centres of the boxes in the first image.
        expected: (N, 2) shift that velocity and camera predict; nan where velocity is unknown.
        reach: (N,) distance from ``expected`` beyond which a motion is not the object's.
        camera: Background motion, 2x3, in the same pixels.
        min_points: Fewest agreeing points.
        core: The compiled core; None leaves it to NumPy.
    """
    if core is not None:
        return _by_core(core, sample, (centres, expected, reach, camera), min_points)
    shifts = sample.end - sample.start
    by_camera = sample.start @ camera[:, :2].T + camera[:, 2] - sample.start
    chosen = _agreeing(shifts, sample.valid, expected, reach, by_camera)
    known = (sample.valid.sum(axis=1) >= min_points) & (sample.share >= _MIN_VALID)
    known &= chosen.sum(axis=1) >= min_points
    growth = _growth(sample.start, sample.end, chosen)
    # A point off the centre moves by growth as well; the centre's own shift is what is left.
    lever = (sample.start - centres[:, None]) * (growth[:, None, None] - 1.0)
    shift = _median(shifts - lever, chosen)
    misfit = np.abs(shifts - lever - shift[:, None]).reshape(len(shift), 2 * shifts.shape[1], 1)
    spread = _median(misfit, np.repeat(chosen, 2, axis=1))[:, 0]
    sigma = _PIXEL_SIGMA + 1.5 * spread / np.sqrt(np.maximum(chosen.sum(axis=1), 1))
    return Consensus(shift, growth, sigma, known)


def _by_core(core: Core, sample: Sample, known: Sequence[Array], min_points: int) -> Consensus:
    count, points = sample.valid.shape
    found = Consensus(np.empty((count, 2)), np.empty(count), np.empty(count),
                      np.empty(count, dtype=bool))
    # The core reads what it is told to, whatever lies there: types are made sure of here.
    floats = (np.ascontiguousarray(array, np.float64) for array in
              (sample.start, sample.end, sample.share, *known))
    start, end, *rest = floats
    taken = [start, end, np.ascontiguousarray(sample.valid, np.bool_), *rest]
    settings = np.array([*_FOR_CORE, min_points], dtype=np.float64)
    core.rtrack_agree(count, points, *(
        ctypes.c_void_p(array.ctypes.data) for array in
        (*taken, settings, found.shift, found.growth, found.sigma, found.known)))
    return found


def _agreeing(shifts: Array, valid: Mask, expected: Array, reach: Array,
              by_camera: Array) -> Mask:
    """Choose the points that move with the object, (N, P); none where this is unclear.

    For a track with a known velocity only points within its reach count. Other motion in the box
    is that of background or an occluder, and a box without points of its own coasts. For a track
    without one, points that move against the background win, as a box always shows some of it.
    """
    against = _length(shifts - by_camera)
    moving = valid & (against > _MOVING_PX)
    enough = _share(moving, valid)[:, None] >= _MOVING_SHARE
    guided = np.isfinite(expected).all(axis=1, keepdims=True)
    near = valid & (_length(shifts - np.nan_to_num(expected)[:, None])
                    <= _MIN_REACH_PX + reach[:, None])
    own = _length(np.nan_to_num(expected) - _mean(by_camera, valid))[:, None]
    near &= (against > _MOVING_PX / 2) | (own <= _MOVING_PX)
    near &= _share(near, valid)[:, None] >= _MIN_SHARE
    candidates = np.where(guided, near, np.where(enough, moving, valid))
    distance = _length(shifts - _median(shifts, candidates)[:, None])
    spread = _median(distance[:, :, None], candidates)
    return candidates & (spread <= _LARGEST_SPREAD_PX) & (distance < 0.5 + 2.0 * spread)


def _growth(start: Array, end: Array, chosen: Mask) -> Array:
    """Return by how much the points of each box spread apart, (N,)."""
    before = _length(start - _median(start, chosen)[:, None])
    after = _length(end - _median(end, chosen)[:, None])
    far = chosen & (before > _GROWTH_LEVER_PX)
    ratio = after / np.maximum(before, _GROWTH_LEVER_PX)
    growth = _median(ratio[:, :, None], far)[:, 0]
    measured = (chosen.sum(axis=1) > _GROWTH_POINTS) & (far.sum(axis=1) >= _GROWTH_POINTS)
    return np.where(measured, np.clip(growth, 1 / _LARGEST_GROWTH, _LARGEST_GROWTH), 1.0)


def join(first: Consensus, second: Consensus, by_camera: Array, expected: Array) -> Consensus:
    """Join two spectra: weighted where they agree, else one of them is taken.

    Args:
        first: One spectrum.
        second: The other.
        by_camera: (N, 2) shift of the boxes' centres with the background, pixels.
        expected: (N, 2) shift that velocity and camera predict; nan where velocity is unknown.
    """
    take = second.known & (~first.known | _rather_second(first, second, by_camera, expected))
    both = first.known & second.known & (_length(first.shift - second.shift) <= 1.0)
    share = np.where(both, second.sigma ** -2 / (first.sigma ** -2 + second.sigma ** -2), take)
    sigma = np.where(take, second.sigma, first.sigma)
    joint = (first.sigma ** -2 + second.sigma ** -2) ** -0.5
    return Consensus(first.shift + share[:, None] * (second.shift - first.shift),
                     first.growth + share * (second.growth - first.growth),
                     np.where(both, joint, sigma), first.known | second.known)


def _rather_second(first: Consensus, second: Consensus, by_camera: Array,
                   expected: Array) -> Mask:
    """Return (N,) whether to take the second of two spectra that disagree.

    For a track with a known velocity the spectrum nearer to it is taken, as smoke may drift
    through the box on the other. For a track without one, the spectrum that moves against the
    background is taken, as the other may see only the surroundings. If both or none do, the surer
    one is taken.
    """
    moves = [_length(one.shift - by_camera) > _MOVING_PX for one in (first, second)]
    surer = np.where(moves[0] == moves[1], second.sigma < first.sigma, moves[1])
    misses = [_length(one.shift - np.nan_to_num(expected)) for one in (first, second)]
    guided = np.isfinite(expected).all(axis=1)
    return np.asarray(np.where(guided, misses[1] < misses[0], surer))


def _median(values: Array, chosen: Mask) -> Array:
    """Median over the chosen points of each box, (N, P, D) to (N, D); 0 where there are none."""
    count = chosen.sum(axis=1)
    ordered = np.sort(np.where(chosen[:, :, None], values, np.inf), axis=1)
    rows = np.arange(len(values))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[1] - 1)
    middle = (ordered[rows, low] + ordered[rows, high]) / 2
    return np.where(count[:, None] > 0, middle, 0.0)


def _mean(values: Array, chosen: Mask) -> Array:
    total = (values * chosen[:, :, None]).sum(axis=1)
    return np.asarray(total / np.maximum(chosen.sum(axis=1), 1)[:, None])


def _share(part: Mask, whole: Mask) -> Array:
    return np.asarray(part.sum(axis=1) / np.maximum(whole.sum(axis=1), 1))


def _length(vectors: Array) -> Array:
    """Euclidean length along the last axis."""
    return np.hypot(vectors[..., 0], vectors[..., 1])
