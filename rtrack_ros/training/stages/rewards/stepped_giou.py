"""R1-Track's reward: generalised IoU of one box, in steps."""

import json
import re

from rtrack_ros import boxes
from rtrack_ros.boxes import BoxArray, as_boxes
from rtrack_ros.training.stages.rewards.completion import Completion, Truth, read_completion

UNREADABLE = -1.0
RIGHTLY_ABSENT = 1.0
MIN_THOUGHTS, KNEE = 128, 448

_THOUGHT = re.compile(r'<think>.*?</think>\s*<answer>(.*?)</answer>', re.DOTALL)


def step(giou: float) -> float:
    """Return the value of a GIoU: pays nothing below 0.4 and a bonus above 0.75 and 0.95.

    ``g`` for g <= 0; 0 for 0 < g < 0.4; ``g`` to 0.75; ``g + 0.2`` to 0.95; ``g + 0.5`` above.
    From the published code of R1-Track (``Wangbiao2/R1-Track``); it never falls as g rises.
    """
    if giou <= 0:
        return giou
    if giou < 0.4:
        return 0.0
    if giou <= 0.75:
        return giou
    return giou + (0.2 if giou < 0.95 else 0.5)


def stepped_giou(said: Completion, truth: Truth) -> float:
    """Return the reward of a direct answer about one target, in [-1, 1.5].

    ``R = step(GIoU(said, truth))``, -1 where the answer holds not exactly one readable box.
    R1-Track (arXiv 2506.21980) writes ``[x1,y1,x2,y2]``; that and one item of our grammar are both
    read. It has no answer for a target that is gone. Ours: ``[]`` earns 1 where nothing was meant
    and -1 where something was, and a box where nothing was meant earns -1.
    """
    found = _single_box(said.text, truth.frame)
    if found is None or (len(found) != len(truth.boxes)):
        return UNREADABLE
    if len(found) == 0:
        return RIGHTLY_ABSENT
    return step(float(boxes.giou(found, truth.boxes)[0, 0]))


def thoughtful_stepped_giou(said: Completion, truth: Truth) -> float:
    """Return the reward of an answer that thinks first, in [-1, 1.55].

    ``R = step(GIoU) + 0.05 + 0.1 * length`` with ``length = (448 - L) / 64`` for L > 448 tokens,
    else 0; -1 where the tags ``<think>`` and ``<answer>`` are not both there, L < 128, or the
    answer cannot be read. From the published code of R1-Track; the result is cut at -1 below,
    which the code reaches only at L = 1088 tokens and more.
    """
    parts = _THOUGHT.fullmatch(said.text.strip())
    if parts is None or said.tokens < MIN_THOUGHTS:
        return UNREADABLE
    value = stepped_giou(Completion(parts.group(1), said.tokens), truth)
    if value <= UNREADABLE:
        return UNREADABLE
    return max(UNREADABLE, value + 0.05 + 0.1 * min(0.0, (KNEE - said.tokens) / 64))


def _single_box(text: str, frame: tuple[int, int]) -> BoxArray | None:
    """Return (1, 4) or (0, 4); None where the text is neither one box nor an empty list."""
    bare = re.fullmatch(r'\s*(\[\s*-?[\d.]+(\s*,\s*-?[\d.]+){3}\s*\])\s*', text)
    if bare is not None:
        text = json.dumps([{'bbox_2d': _numbers(bare.group(1)), 'label': 'target'}])
    reading = read_completion(text, frame)
    if not reading.whole or reading.items > 1 or len(reading.boxes) != reading.items:
        return None
    return as_boxes(reading.boxes)


def _numbers(text: str) -> list[float]:
    try:
        return [float(piece) for piece in text.strip('[]').split(',')]
    except ValueError:
        return []
