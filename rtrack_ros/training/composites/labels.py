"""Boxes of people in a clip: annotated by hand where they are, proposed by a detector elsewhere.

A label is a MOTChallenge row. Of a pseudo-label the score is the detector's; rows below
``SURE`` mark places that are neither background nor a person to learn from.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from rtrack_ros import boxes
from rtrack_ros.data.mot import MotFrames, MotRow, read_mot, write_mot
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box
from rtrack_ros.training.composites.clips import ClipGeometry
from rtrack_ros.training.composites.detector import Detection, PersonDetector

SURE = 0.45
"""Score from which a detection is taken for a person."""
_SAME_PERSON = 0.45
_LINK = 0.25
_MEMORY = 20
"""Frames for which an identity waits for its next box."""


def propose(path: Path, frames: Mapping[int, FramePair], geometry: ClipGeometry,
            detector: PersonDetector) -> MotFrames:
    """Label a clip by a detector, write the rows to a file and return them.

    Args:
        path: MOTChallenge rows, frames from 1.
        frames: The pairs to be labelled by frame number.
        geometry: How tall people look in the clip; boxes of other sizes are no people.
        detector: Proposes boxes on both spectra.
    """
    write_mot(path, link((number, _both_spectra(pair, geometry, detector))
                         for number, pair in sorted(frames.items())))
    return read_mot(path)


def _both_spectra(pair: FramePair, geometry: ClipGeometry, detector: PersonDetector
                  ) -> list[Detection]:
    assert pair.thermal is not None
    return merge(item for image in (pair.rgb, pair.thermal) for item in detector(image)
                 if plausible(item.box, geometry))


def plausible(box: Box, geometry: ClipGeometry) -> bool:
    """Return whether a box has the size of a person, a child or a half hidden one included."""
    width, height = box[2] - box[0], box[3] - box[1]
    expected = geometry.person_height(box[3])
    return height >= 1.1 * width and 0.45 * expected <= height <= 1.5 * expected


def merge(found: Iterable[Detection]) -> list[Detection]:
    """Return the detections of all images of one scene, each person once, best score first.

    A box that shares its area with a better one (IoU, or lying within it) is the same person.
    """
    kept: list[Detection] = []
    for item in sorted(found, key=lambda item: -item.score):
        if not any(_same(item.box, other.box) for other in kept):
            kept.append(item)
    return kept


def _same(box: Box, other: Box) -> bool:
    return bool(boxes.iou([box], [other])[0, 0] >= _SAME_PERSON or share_within(box, other) >= 0.8)


def share_within(box: Box, other: Box) -> float:
    """Return the share of the area of ``box`` that lies within ``other``."""
    left, top = max(box[0], other[0]), max(box[1], other[1])
    right, bottom = min(box[2], other[2]), min(box[3], other[3])
    shared = max(right - left, 0.0) * max(bottom - top, 0.0)
    return shared / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)


def link(found: Iterable[tuple[int, list[Detection]]]) -> list[MotRow]:
    """Return rows with identities, linked greedily by overlap from frame to frame."""
    rows: list[MotRow] = []
    last: dict[int, MotRow] = {}
    for number, detections in found:
        last = {name: row for name, row in last.items() if number - row.frame <= _MEMORY}
        free = dict(last)
        for item in detections:
            overlaps = {name: float(boxes.iou([item.box], [row.box])[0, 0])
                        for name, row in free.items()}
            best = max(overlaps, key=lambda name: overlaps[name], default=0)
            if best == 0 or overlaps[best] < _LINK:
                best = 1 + max((row.id for row in rows), default=0)
            free.pop(best, None)
            last[best] = MotRow(number, best, item.box, score=item.score)
            rows.append(last[best])
    return rows
