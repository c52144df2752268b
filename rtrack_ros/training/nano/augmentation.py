"""Changes to a training pair that keep it true: mirrored, cropped, re-exposed, a sensor lost."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.boxes import share_inside
from rtrack_ros.language.answers import Box
from rtrack_ros.language.closeup import MIN_SHOWN, within
from rtrack_ros.simulation.expressions import affirmed
from rtrack_ros.training.shards.frames import FrameRow, ObjectRow, SentenceRow

NEEDS_THERMAL = ('night', 'smoke')
"""Conditions in which RGB alone shows too little to be asked about."""
_SENSOR_LOSS = {'thermal': 0.15, 'rgb': 0.05}

CROP_SHARE = 0.25
"""Share of simulated pairs that are cropped: the world has its horizon at one height, cameras that
people hold have it anywhere."""
_MIN_CROP = 0.6
_SEEN_WHOLE = ('place', 'relation', 'depth')
"""Kinds of sentences that are about the whole picture and mean others in a part of it."""

Pair = tuple[FrameRow, NDArray[np.uint8], NDArray[np.uint8]]


def lose_sensor(rng: np.random.Generator, condition: str) -> str | None:
    """Return the sensor that is silent in this pair: 'rgb', 'thermal' or None."""
    draw = rng.random()
    if draw < _SENSOR_LOSS['rgb']:
        return 'rgb'
    if draw < sum(_SENSOR_LOSS.values()) and condition not in NEEDS_THERMAL:
        return 'thermal'
    return None


def augment(rng: np.random.Generator, rgb: NDArray[np.uint8], thermal: NDArray[np.uint8],
            lost: str | None) -> NDArray[np.uint8]:
    """Return the pair as uint8 (2, H, W, 3) with jittered gain, a lost sensor black."""
    bright, gain, offset = rng.uniform(0.88, 1.12), rng.uniform(0.8, 1.15), rng.uniform(-18, 18)
    pair = np.zeros((2, *rgb.shape), np.uint8)
    if lost != 'rgb':
        pair[0] = _exposed(rgb, bright, 0.0)
    if lost != 'thermal':
        pair[1] = _exposed(thermal, gain, offset)[:, :, None]
    return pair


def _exposed(image: NDArray[np.uint8], gain: float, offset: float) -> NDArray[np.uint8]:
    """Return the image with its 256 levels moved: looked up, which costs a tenth of computing."""
    levels = np.arange(256) * np.float32(gain) + np.float32(offset)
    table = np.clip(levels, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(np.ascontiguousarray(image), table), np.uint8)


def mirror(frame: FrameRow) -> FrameRow:
    """Return the row of the mirrored picture; left and right change places in the sentences."""
    swap = {0: 1, 1: 0}
    objects = tuple(replace(o, facing=swap.get(o.facing, o.facing), box=mirror_box(o.box))
                    for o in frame.objects)
    return FrameRow(frame.condition, objects, tuple(map(mirror_box, frame.hidden)),
                    tuple(SentenceRow(mirror_text(s.text), s.kind, s.objects)
                          for s in frame.sentences))


def mirror_box(box: Box) -> Box:
    """Return a box in 0-1000 of the mirrored picture."""
    return 1000 - box[2], box[1], 1000 - box[0], box[3]


def crop(rng: np.random.Generator, frame: FrameRow, rgb: NDArray[np.uint8],
         thermal: NDArray[np.uint8]) -> Pair:
    """Return a random part of a pair at its old size, with what is known about it.

    Objects of which less than half is left count as hidden, and sentences that mean others in a
    part of the picture than in the whole are dropped.

    Args:
        rng: Draws place and size of the part.
        frame: What the pair shows.
        rgb: uint8 (H, W, 3).
        thermal: uint8 (H, W).
    """
    share = rng.uniform(_MIN_CROP, 1.0, 2).clip(0, 1)
    share[1] = np.clip(share[1], share[0] / 1.2, share[0] * 1.2)
    left, top = rng.uniform(0, 1000 * (1 - share))
    window = (left, top, left + 1000 * share[0], top + 1000 * share[1])
    shares = share_inside([item.box for item in frame.objects], window)
    kept = np.flatnonzero(shares >= MIN_SHOWN).tolist()
    place = {row: number for number, row in enumerate(kept)}
    objects = tuple(replace(frame.objects[row], box=_within(frame.objects[row].box, window))
                    for row in kept)
    partly = [*frame.hidden, *(item.box for row, item in enumerate(frame.objects)
                               if row not in place)]
    hidden = tuple(_within(box, window) for box in partly if share_inside(box, window)[0] > 0)
    sentences = tuple(SentenceRow(s.text, s.kind, tuple(place[i] for i in s.objects if i in place))
                      for s in frame.sentences if affirmed(s.kind) not in _SEEN_WHOLE)
    return (FrameRow(frame.condition, objects, hidden, sentences), _enlarge(rgb, window),
            _enlarge(thermal, window))


def _within(box: Box, window: Box) -> Box:
    """Return a box in 0-1000 of the picture as one in 0-1000 of a window in it, cut to that."""
    x1, y1, x2, y2 = within(box, window)
    width, height = window[2] - window[0], window[3] - window[1]
    return x1 / width * 1000, y1 / height * 1000, x2 / width * 1000, y2 / height * 1000


def _enlarge(image: NDArray[np.uint8], window: Box) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = np.array([1000 / (window[2] - window[0]), 1000 / (window[3] - window[1])])
    shift = -scale * (window[0] * width / 1000, window[1] * height / 1000)
    move = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    return np.asarray(cv2.warpAffine(image, move, (width, height), flags=cv2.INTER_LINEAR,
                                     borderMode=cv2.BORDER_REPLICATE), np.uint8)


def mirror_text(text: str) -> str:
    """Return a sentence as it is true of the mirrored picture."""
    return text.replace('left', '\0').replace('right', 'left').replace('\0', 'right')


def whole_box(item: ObjectRow) -> tuple[int, int, int, int]:
    """Return an object's box as the whole numbers 0-1000 that a model writes."""
    x1, y1, x2, y2 = (int(round(min(max(value, 0), 1000))) for value in item.box)
    return x1, y1, x2, y2
