"""Changes to a training pair that keep it true: mirrored, re-exposed, a sensor lost."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.training.samples import FrameRow, ObjectRow, SentenceRow

NEEDS_THERMAL = ('night', 'smoke')
"""Conditions in which RGB alone shows too little to be asked about."""
_SENSOR_LOSS = {'thermal': 0.15, 'rgb': 0.05}

FloatBox = tuple[float, float, float, float]


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
    heat = np.clip(thermal * np.float32(gain) + np.float32(offset), 0, 255).astype(np.uint8)
    colour = np.clip(rgb * np.float32(bright), 0, 255).astype(np.uint8)
    pair = np.stack([colour, np.repeat(heat[:, :, None], 3, axis=2)])
    if lost is not None:
        pair[0 if lost == 'rgb' else 1] = 0
    return pair


def mirror(frame: FrameRow) -> FrameRow:
    """Return the row of the mirrored picture; left and right change places in the sentences."""
    swap = {0: 1, 1: 0}
    objects = tuple(replace(o, facing=swap.get(o.facing, o.facing), box=mirror_box(o.box))
                    for o in frame.objects)
    return FrameRow(frame.condition, objects, tuple(map(mirror_box, frame.hidden)),
                    tuple(SentenceRow(mirror_text(s.text), s.kind, s.objects)
                          for s in frame.sentences))


def mirror_box(box: FloatBox) -> FloatBox:
    """Return a box in 0-1000 of the mirrored picture."""
    return 1000 - box[2], box[1], 1000 - box[0], box[3]


def mirror_text(text: str) -> str:
    """Return a sentence as it is true of the mirrored picture."""
    return text.replace('left', '\0').replace('right', 'left').replace('\0', 'right')


def whole_box(item: ObjectRow) -> tuple[int, int, int, int]:
    """Return an object's box as the whole numbers 0-1000 that a model writes."""
    x1, y1, x2, y2 = (int(round(min(max(value, 0), 1000))) for value in item.box)
    return x1, y1, x2, y2
