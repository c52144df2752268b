"""RefRT (RT-RMOT, 2026) as annotated sequences; the folder layout itself is ``data.refrt_folder``.

``gt.txt`` holds what the description means, so that a frame without a row is one where nothing is
meant. Sequences taken from VTUAV may be sparse: fewer images than frames of the video, numbered
as in the video. Rows then carry the numbers of the file names.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.boxes_file import require_equal
from rtrack_ros.data.image_folder import list_images
from rtrack_ros.data.layouts import LayoutFacts
from rtrack_ros.data.mot import counted
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.refrt_folder import IMAGE_FOLDERS, RefRtSequence, read_refrt

FACTS = LayoutFacts('RefRT', single_object=False, sentences='own')
FPS = 30.0


def read(root: Path) -> list[AnnotatedSequence]:
    """Return the (video, description) pairs below a folder, sorted by path.

    Raises:
        DataError: there is none, one is incomplete, or its rows name frames it does not have.
    """
    return [_sequence(sequence) for sequence in read_refrt(root)]


def _sequence(sequence: RefRtSequence) -> AnnotatedSequence:
    rgb, thermal = _images(sequence.folder)
    numbers = frame_numbers([path.stem for path in rgb], sorted(sequence.truth), sequence.folder)
    frames = []
    for image, heat, number in zip(rgb, thermal, numbers, strict=True):
        boxes = {row.id: row.box for row in counted(sequence.truth, number)}
        frames.append(AnnotatedFrame(round((number - numbers[0]) * 1e9 / FPS), image, heat, boxes,
                                     frozenset(boxes)))
    english = sequence.sentence
    others = tuple(text for text in sequence.descriptions if text != english)
    step = (numbers[-1] - numbers[0]) / max(len(numbers) - 1, 1)
    return AnnotatedSequence('RefRT', sequence.name, tuple(frames), (english, *others),
                             condition=sequence.condition, fps=FPS / max(step, 1.0))


def _images(folder: Path) -> tuple[list[Path], Sequence[Path | None]]:
    for visible, infrared in IMAGE_FOLDERS:
        if (folder / visible).is_dir():
            rgb = list_images(folder / visible)
            if not (folder / infrared).is_dir():
                return rgb, [None] * len(rgb)
            thermal = list_images(folder / infrared)
            require_equal(folder, **{visible: len(rgb), infrared: len(thermal)})
            return rgb, thermal
    wanted = ' or '.join(pair[0] for pair in IMAGE_FOLDERS)
    raise DataError(f'{folder} has no image folder {wanted}')


def frame_numbers(stems: Sequence[str], truth: Sequence[int], folder: Path) -> list[int]:
    """Return the frame number of each image as ``gt.txt`` counts.

    Rows count images from 1 where they can; where a row lies beyond the last image, they carry
    the numbers of the file names.

    Args:
        stems: File names without suffix, in order.
        truth: Frame numbers that have rows.
        folder: Named in the error.

    Raises:
        DataError: the rows fit neither.
    """
    if not truth or truth[-1] <= len(stems):
        return list(range(1, len(stems) + 1))
    named = [re.search(r'(\d+)$', stem) for stem in stems]
    numbers = [int(found.group(1)) for found in named if found]
    if len(numbers) == len(stems) and set(truth) <= set(numbers):
        return numbers
    raise DataError(f'{folder}: gt.txt names frame {truth[-1]}, but there are {len(stems)} images '
                    'and none of that number; fetch the images again')
