"""GOT-10k scores of single-object tracks: average overlap and success rates, and presence.

The arithmetic is that of the public toolkit (Huang et al., 2019), its way of cutting boxes to the
image included: the first frame is left out, frames count where more than nothing of the target is
visible, and overlaps are pooled over the frames of all sequences. AO leaves absent frames out and
so cannot reward a tracker that says "gone"; presence stands beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.boxes_file import read_boxes, require_equal
from rtrack_ros.data.image_folder import stored_size
from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.metrics.presence import Presence
from rtrack_ros.language.answers import Box

Overlaps = NDArray[np.float64]
_THRESHOLDS = np.linspace(0, 1, 101)


class TargetFrame(Protocol):
    """What is known about the target in one frame, see ``AnnotatedFrame``."""

    @property
    def objects(self) -> Mapping[int, Box]:
        """Boxes by id in pixels."""

    @property
    def meant(self) -> frozenset[int]:
        """The target's id; empty where it is not in view."""

    @property
    def labelled(self) -> bool:
        """Whether somebody looked."""

    @property
    def cover(self) -> float:
        """Visible share of the target in [0, 1]."""


@dataclass(frozen=True, eq=False)
class TargetRun:
    """One sequence with what a tracker told about it.

    Attributes:
        frames: The truth; the first frame starts the tracker and does not count.
        told: A box for every frame in pixels, None where the tracker says "gone".
        size: (width, height) of the images in pixels.
    """

    frames: Sequence[TargetFrame]
    told: Sequence[Box | None]
    size: tuple[int, int]


@dataclass(frozen=True)
class SingleObjectScores:
    """Scores of one run.

    Attributes:
        name: Name of the run.
        ao: Mean overlap in [0, 1].
        sr50: Share of frames with an overlap above 0.5.
        sr75: Share above 0.75.
        frames: Frames that counted.
        sequences: Number of sequences.
        presence: Over all labelled frames but the first.
        success: Share of frames above each of 101 thresholds from 0 to 1.
    """

    name: str
    ao: float
    sr50: float
    sr75: float
    frames: int
    sequences: int
    presence: Presence
    success: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {'ao': round(self.ao, 4), 'sr50': round(self.sr50, 4), 'sr75': round(self.sr75, 4),
                'frames': self.frames, 'sequences': self.sequences,
                'presence': self.presence.as_dict()}


def score_single_object(name: str, sequences: Sequence[AnnotatedSequence], folder: Path | str
                        ) -> SingleObjectScores:
    """Return the scores of a run.

    Args:
        name: What to call it.
        sequences: The truth.
        folder: ``<sequence>/<sequence>_001.txt`` as the toolkit writes, or ``<sequence>.txt``:
            ``left,top,width,height`` per frame, 0 by 0 where the tracker says "gone".

    Raises:
        DataError: a file is missing or does not fit, or no frame has public truth.
    """
    return pool_targets(name, [_read_run(sequence, Path(folder)) for sequence in sequences])


def pool_targets(name: str, runs: Sequence[TargetRun]) -> SingleObjectScores:
    """Return the scores over the frames of all runs.

    Raises:
        DataError: no frame after the first has public truth.
    """
    presence = sum((_presence(run) for run in runs), Presence())
    pooled = np.concatenate([_overlaps(run) for run in runs]) if runs else np.zeros(0)
    if not len(pooled):
        raise DataError('no frame after the first has public truth; score the validation split, '
                        'or hand the files to the server of the test split')
    success = (pooled[:, None] > _THRESHOLDS).mean(axis=0)
    return SingleObjectScores(name, float(pooled.mean()), float((pooled > 0.5).mean()),
                              float(success[75]), len(pooled), len(runs), presence,
                              tuple(float(value) for value in success))


def _read_run(sequence: AnnotatedSequence, folder: Path) -> TargetRun:
    told = read_single_object(folder, sequence)
    return TargetRun(sequence.frames, told, stored_size(sequence.frames[0].rgb))


def read_single_object(folder: Path, sequence: AnnotatedSequence) -> list[Box | None]:
    """Return what a run reported for a sequence, one box per frame.

    Raises:
        DataError: the file is missing or has another number of lines.
    """
    name = sequence.name
    paths = (folder / name / f'{name}_001.txt', folder / f'{name}.txt')
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise DataError(f'neither {paths[0]} nor {paths[1]} exists; every sequence needs one box '
                        'per frame, 0,0,0,0 where the target is gone')
    boxes = read_boxes(found)
    require_equal(found, boxes=len(boxes), frames=len(sequence))
    return boxes


def _overlaps(run: TargetRun) -> Overlaps:
    """Return the overlap of every frame that counts; who says "gone" has none."""
    counted = [(frame.objects[min(frame.meant)], box or (0.0, 0.0, 0.0, 0.0))
               for frame, box in zip(run.frames[1:], run.told[1:], strict=True)
               if frame.labelled and frame.meant and frame.cover > 0]
    if not counted:
        return np.zeros(0)
    truth, told = (_bounded(np.array(group), run.size) for group in zip(*counted, strict=True))
    corner = np.maximum(truth[:, :2], told[:, :2])
    shared = np.prod(np.maximum(np.minimum(truth[:, :2] + truth[:, 2:], told[:, :2] + told[:, 2:])
                                - corner, 0), axis=1)
    union = np.prod(truth[:, 2:], axis=1) + np.prod(told[:, 2:], axis=1) - shared
    return shared / np.maximum(union, np.finfo(float).eps)


def _bounded(boxes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Return ``left, top, width, height`` cut to the image as the toolkit does.

    A corner left of the image moves to its edge and takes the far side along: width and height
    are cut only where they then reach beyond.
    """
    limit = np.array(size, np.float64)
    corner = np.clip(boxes[:, :2], 0, limit)
    return np.hstack([corner, np.clip(boxes[:, 2:] - boxes[:, :2], 0, limit - corner)])


def _presence(run: TargetRun) -> Presence:
    total = Presence()
    for frame, box in zip(run.frames[1:], run.told[1:], strict=True):
        if frame.labelled:
            there, told = bool(frame.meant), box is not None
            total += Presence(there and told, there and not told, told and not there,
                              not there and not told)
    return total
