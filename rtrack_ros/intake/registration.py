"""Registration: the homography from thermal to RGB, from edges that both cameras see.

Warmth and colour have little in common but the edges of things, whose contrast may be reversed.
An edge is therefore a complex number: its angle is twice that of the gradient, so that bright on
dark and dark on bright are alike (normalised gradient fields, Haber and Modersitzki, 2006; Bigun's
double angle). How well two images fit under a shift is the correlation of these numbers, summed
over many frames: what moves or flickers averages out, and what stands still adds up.

First, scale, rotation and shift are searched for on small images. Then blocks of the image say
where they fit best, a homography is fitted to them, and the blocks look again from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.frames import Image8, Mask

Matrix = NDArray[np.float64]
Edges = NDArray[np.complex64]

_COARSE_WIDTH: Final = 160
_SCALES: Final = np.geomspace(0.5, 2.0, 25)
_ANGLES_DEG: Final = np.array([-6.0, -3.0, 0.0, 3.0, 6.0])
# Width of the images on which blocks look, blocks along a row, and how far they look in pixels.
_LEVELS: Final = ((320, 5, 16), (320, 6, 8), (640, 6, 10), (640, 8, 6), (640, 8, 6), (640, 8, 4))
_LEAST_BLOCKS: Final = 8
# Least correlation of the edges of a block over all frames, and the share of the usual edges that
# it must have.
_LEAST_FIT: Final = 0.15
_LEAST_EDGES: Final = 0.25
# Fewest blocks for a fit with perspective, and the share of the miss without it that it may leave.
_PERSPECTIVE_BLOCKS, _CLEARLY = 20, 0.8


class RegistrationError(ValueError):
    """The cameras cannot be registered by these images; the message names the remedy."""


@dataclass(frozen=True, eq=False)
class Registration:
    """What was found.

    Attributes:
        matrix: 3x3, from pixels of the thermal images given to pixels of the RGB images.
        residual_px: Median distance, in RGB pixels, by which blocks of the image miss the matrix.
        blocks: Blocks that say where they fit.
        agreement: Correlation of the edges of both cameras under the matrix, 0 to 1.
        before: The same without any.
    """

    matrix: Matrix
    residual_px: float
    blocks: int
    agreement: float
    before: float


def register(rgb: Sequence[Image8], thermal: Sequence[Image8]) -> Registration:
    """Return the homography that maps thermal images onto RGB images of the same instants.

    Args:
        rgb: uint8 (H, W, 3), all of one size.
        thermal: uint8 (h, w), all of one size, as many.

    Raises:
        RegistrationError: too little is seen by both cameras.
    """
    if not rgb or len(rgb) != len(thermal):
        raise RegistrationError('there is no pair with both images; check that both cameras are '
                                'in the recording')
    height, width = rgb[0].shape[:2]
    rows, columns = thermal[0].shape
    to_grid = onto_grid((columns, rows), (width, height))
    greys = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8) for image in rgb]
    start = _search(greys, thermal, to_grid)
    matrix, misses = start, np.full(0, np.nan)
    for level_width, along, reach in _LEVELS:
        scale = min(1.0, level_width / width)
        matrix, misses = _refine(greys, thermal, matrix, scale, along, reach)
    return Registration(matrix / matrix[2, 2], float(np.median(misses)), len(misses),
                        agreement(greys, thermal, matrix), agreement(greys, thermal, to_grid))


def onto_grid(thermal: tuple[int, int], rgb: tuple[int, int]) -> Matrix:
    """Return the matrix of equal fields of view between images of two sizes (width, height).

    Whole numbers are the centres of pixels, so that the corner of an image is at -0.5.
    """
    zoom = np.array(rgb, float) / np.array(thermal, float)
    matrix = np.diag([*zoom, 1.0])
    matrix[:2, 2] = (zoom - 1) / 2
    return matrix


def agreement(greys: Sequence[Image8], thermal: Sequence[Image8], matrix: Matrix) -> float:
    """Return the correlation of the edges of both cameras where both see, 0 to 1."""
    height, width = greys[0].shape
    shared = both = 0.0
    for grey, warm in zip(greys, thermal, strict=True):
        one, other = edges(grey), _warped_edges(warm, matrix, (width, height))
        shared += float(np.real(np.vdot(other, one)))
        both += float(np.sqrt(np.vdot(one, one).real * np.vdot(other, other).real))
    return shared / both if both else 0.0


def edges(grey: Image8 | NDArray[np.float32], known: Mask | None = None) -> Edges:
    """Return the edges of an image (h, w): length in [0, 1], twice the angle of the gradient."""
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.2)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) + 1j * cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    length = np.abs(across)
    local = cv2.blur(length, (31, 31)) + 0.3 * float(length.mean()) + 1e-3
    strength = length / (length + 1.5 * local)
    field = np.where(length > 0, strength * (across / np.maximum(length, 1e-6)) ** 2, 0)
    if known is not None:
        field = field * known
    return np.asarray(field, np.complex64)


def _warped_edges(warm: Image8, matrix: Matrix, size: tuple[int, int]) -> Edges:
    known = cv2.warpPerspective(np.ones_like(warm), matrix, size, flags=cv2.INTER_NEAREST)
    inner = cv2.erode(known, np.ones((9, 9), np.uint8), borderValue=0) > 0
    moved = cv2.warpPerspective(warm, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return edges(np.asarray(moved, np.uint8), inner)


def _search(greys: Sequence[Image8], thermal: Sequence[Image8], to_grid: Matrix) -> Matrix:
    """Return the similarity, on top of equal fields of view, under which small images fit best."""
    height, width = greys[0].shape
    scale = min(1.0, _COARSE_WIDTH / width)
    size = (round(width * scale), round(height * scale))
    few = np.unique(np.linspace(0, len(greys) - 1, 10).astype(int))
    small = [edges(_resized(greys[index], size)) for index in few]
    spectra = [np.fft.fft2(_faded(field)) for field in small]
    shrink = np.diag([scale, scale, 1.0])
    best, matrix = -np.inf, to_grid
    for zoom in _SCALES:
        for angle in _ANGLES_DEG:
            turn = np.vstack([cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), angle, zoom),
                              [0, 0, 1]])
            start = turn @ shrink @ to_grid
            surface, power = np.zeros(size[::-1]), 1e-6
            for index, spectrum in zip(few, spectra, strict=True):
                field = _faded(_warped_edges(thermal[index], start, size))
                surface += np.fft.ifft2(spectrum * np.conj(np.fft.fft2(field))).real
                power += float(np.vdot(field, field).real)
            row, column = np.unravel_index(int(np.argmax(surface)), surface.shape)
            score = float(surface[row, column] / np.sqrt(power))
            if score > best:
                shift = np.array([(column + size[0] // 2) % size[0] - size[0] // 2,
                                  (row + size[1] // 2) % size[1] - size[1] // 2], float)
                moved = np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1.0]])
                best, matrix = score, np.linalg.inv(shrink) @ moved @ start
    return matrix


def _refine(greys: Sequence[Image8], thermal: Sequence[Image8], matrix: Matrix, scale: float,
            along: int, reach: int) -> tuple[Matrix, NDArray[np.float64]]:
    """Return a better matrix, and by how many RGB pixels each block still misses it."""
    height, width = greys[0].shape
    size = (round(width * scale), round(height * scale))
    shrink = np.diag([size[0] / width, size[1] / height, 1.0])
    small = [edges(_resized(grey, size)) for grey in greys]
    warm = [_warped_edges(image, shrink @ matrix, size) for image in thermal]
    centres, shifts, weights = _block_shifts(small, warm, along, reach)
    if len(centres) < _LEAST_BLOCKS:
        raise RegistrationError(
            f'only {len(centres)} parts of the image fit, {_LEAST_BLOCKS} are needed: both '
            'cameras must see edges all over the image. Record by day, a scene with buildings, '
            'trees or people at the distance at which you want to track')
    step = _fit(centres, centres + shifts, weights)
    better = np.linalg.inv(shrink) @ step @ shrink @ matrix
    missed = np.linalg.norm(_moved(step, centres) - centres - shifts, axis=1)
    return better, missed / scale


def _block_shifts(one: Sequence[Edges], other: Sequence[Edges], along: int, reach: int
                  ) -> tuple[Matrix, Matrix, Matrix]:
    """Return centres, shifts and weights along x and y, all (N, 2), of the blocks that fit."""
    height, width = one[0].shape
    side = width // along
    found, usual = [], np.mean([np.vdot(field, field).real for field in other]) / (height * width)
    for top in range(0, height - side + 1, max(1, side // 2)):
        for left in range(0, width - side + 1, max(1, side // 2)):
            best = _best_shift(one, other, (top, left, side), reach,
                               _LEAST_EDGES * usual * side ** 2)
            if best is not None:
                found.append((left + side / 2, top + side / 2, *best))
    table = np.array(found).reshape(-1, 6)
    return table[:, :2], table[:, 2:4], table[:, 4:]


def _best_shift(one: Sequence[Edges], other: Sequence[Edges], block: tuple[int, int, int],
                reach: int, least: float) -> tuple[float, float, float, float] | None:
    """Return the shift (x, y) of a block of ``other`` that fits ``one``, and how sharp it is.

    None where the block has fewer edges than ``least``, or fits nowhere.
    """
    top, left, side = block
    height, width = one[0].shape
    surface, power, powers = np.zeros((2 * reach + 1, 2 * reach + 1)), 0.0, 0.0
    y1, y2 = max(top - reach, 0), min(top + side + reach, height)
    x1, x2 = max(left - reach, 0), min(left + side + reach, width)
    for still, moving in zip(one, other, strict=True):
        area = np.zeros((side + 2 * reach, side + 2 * reach), np.complex64)
        area[y1 - top + reach:y2 - top + reach, x1 - left + reach:x2 - left + reach] = \
            still[y1:y2, x1:x2]
        patch = moving[top:top + side, left:left + side]
        own = area[reach:reach + side, reach:reach + side]
        power += float(np.vdot(patch, patch).real)
        powers += float(np.vdot(own, own).real)
        for part in (np.real, np.imag):
            surface += cv2.matchTemplate(np.ascontiguousarray(part(area)),
                                         np.ascontiguousarray(part(patch)), cv2.TM_CCORR)
    if min(power, powers) < least * len(one):
        return None
    row, column = np.unravel_index(int(np.argmax(surface)), surface.shape)
    inside = 0 < row < 2 * reach and 0 < column < 2 * reach
    surface /= np.sqrt(power * powers)
    if not inside or surface[row, column] < _LEAST_FIT:
        return None
    dx, bend_x = _vertex(*surface[row, column - 1:column + 2])
    dy, bend_y = _vertex(*surface[row - 1:row + 2, column])
    return float(column - reach + dx), float(row - reach + dy), bend_x, bend_y


def _vertex(before: float, at: float, after: float) -> tuple[float, float]:
    """Return where the parabola through three values has its top, and how sharp it is."""
    bend = 2 * at - before - after
    if bend <= 0:
        return 0.0, 0.0
    return float(np.clip(0.5 * (after - before) / bend, -0.5, 0.5)), float(bend)


def _fit(start: Matrix, end: Matrix, weights: Matrix) -> Matrix:
    """Return the matrix that most points (N, 2) agree on: affine, or with perspective.

    Perspective is fitted where it explains the points clearly better: where edges are only in one
    part of the image, it would carry small errors there into large ones elsewhere.
    """
    middle, extent = start.mean(axis=0), max(float(np.ptp(start)), 1.0)
    unit = np.array([[1 / extent, 0, -middle[0] / extent], [0, 1 / extent, -middle[1] / extent],
                     [0, 0, 1]])
    source, target = _moved(unit, start), _moved(unit, end)
    step, missed = _robust(source, target, weights, False, 0.2 / extent)
    if len(start) >= _PERSPECTIVE_BLOCKS:
        other, less = _robust(source, target, weights, True, 0.2 / extent)
        step = other if less < _CLEARLY * missed else step
    return np.asarray(np.linalg.inv(unit) @ step @ unit)


def _robust(source: Matrix, target: Matrix, weights: Matrix, perspective: bool, least: float
            ) -> tuple[Matrix, float]:
    """Return the matrix that most points agree on, and by how much the others count for miss."""
    step = np.eye(3)
    for _ in range(20):
        missed = np.abs(_moved(step, source) - target)
        usual = np.maximum(np.median(missed, axis=0) * 1.4826, least)
        trusted = weights / (1 + (missed / usual) ** 2) ** 2
        step = _least_squares(source, target, trusted, perspective)
    missed = np.abs(_moved(step, source) - target)
    return step, float(np.sqrt((weights * np.minimum(missed, 6 * least) ** 2).sum()
                               / weights.sum()))


def _least_squares(source: Matrix, target: Matrix, weights: Matrix, perspective: bool) -> Matrix:
    (x, y), (u, v) = source.T, target.T
    nought, one = np.zeros_like(x), np.ones_like(x)
    rows = np.concatenate([np.stack([x, y, one, nought, nought, nought, -u * x, -u * y], axis=1),
                           np.stack([nought, nought, nought, x, y, one, -v * x, -v * y], axis=1)])
    sides, root = np.concatenate([u, v]), np.sqrt(weights.T.ravel())
    used = 8 if perspective else 6
    found = np.linalg.lstsq(rows[:, :used] * root[:, None], sides * root, rcond=None)[0]
    return np.append(np.concatenate([found, np.zeros(8 - used)]), 1.0).reshape(3, 3)


def _moved(matrix: Matrix, points: Matrix) -> Matrix:
    """Return points (N, 2) moved by a homography."""
    moved = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


def corner_error(found: Matrix, true: Matrix, size: tuple[int, int]) -> float:
    """Return the mean distance, in RGB pixels, between the corners that two matrices give.

    Args:
        found: 3x3, thermal to RGB pixels.
        true: The same.
        size: (width, height) of the thermal image.
    """
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    return float(np.linalg.norm(_moved(found, corners) - _moved(true, corners), axis=1).mean())


def _resized(image: Image8, size: tuple[int, int]) -> Image8:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _faded(field: Edges) -> Edges:
    """Return a field that fades at its rim: shifts of the Fourier transform go round."""
    rows, columns = np.hanning(field.shape[0]), np.hanning(field.shape[1])
    return np.asarray(field * np.sqrt(np.outer(rows, columns)), np.complex64)
