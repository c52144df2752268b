"""The words of the classes of a detector."""

from pathlib import Path
from typing import Final

from rtrack_ros.detectors.base import DetectorError

COCO: Final = (
    'person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train', 'truck', 'boat',
    'traffic light', 'fire hydrant', 'stop sign', 'parking meter', 'bench', 'bird', 'cat', 'dog',
    'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe', 'backpack', 'umbrella',
    'handbag', 'tie', 'suitcase', 'frisbee', 'skis', 'snowboard', 'sports ball', 'kite',
    'baseball bat', 'baseball glove', 'skateboard', 'surfboard', 'tennis racket', 'bottle',
    'wine glass', 'cup', 'fork', 'knife', 'spoon', 'bowl', 'banana', 'apple', 'sandwich',
    'orange', 'broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake', 'chair', 'couch',
    'potted plant', 'bed', 'dining table', 'toilet', 'tv', 'laptop', 'mouse', 'remote',
    'keyboard', 'cell phone', 'microwave', 'oven', 'toaster', 'sink', 'refrigerator', 'book',
    'clock', 'vase', 'scissors', 'teddy bear', 'hair drier', 'toothbrush')
"""The 80 classes of COCO (Lin et al., 2014) in the order in which networks number them."""


def read_labels(path: Path | str) -> tuple[str, ...]:
    """Return the words in a text file, one a line in the order of the classes; '' gives COCO's.

    Raises:
        DetectorError: the file cannot be read, or holds no word.
    """
    if not str(path):
        return COCO
    try:
        words = Path(path).read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DetectorError(f'detector.labels: cannot read {path}: {error}') from error
    while words and not words[-1].strip():
        words.pop()
    if not words:
        raise DetectorError(f'detector.labels: {path} holds no word; write one class a line')
    return tuple(word.strip() for word in words)


def word(labels: tuple[str, ...], number: float) -> str:
    """Return the word of a class by its number, '' where the list is too short."""
    return labels[int(number)] if 0 <= number < len(labels) else ''
