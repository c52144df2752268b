"""A data set layout of your own: videos with boxes in one CSV file and one sentence each.

    SET/<video>/rgb/000001.png ...    RGB images
    SET/<video>/ir/000001.png ...     thermal images, as many
    SET/<video>/boxes.csv             rows of frame (from 0), id, x1, y1, x2, y2
    SET/<video>/sentence.txt          what the boxes are of

Copied into rtrack_ros/data/layouts/ it is known to every command; docs/guides/add_a_layout.md.
"""

import csv
from pathlib import Path

from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.boxes_file import require_equal
from rtrack_ros.data.image_folder import list_images
from rtrack_ros.data.layouts import LayoutFacts
from rtrack_ros.data.pairs import DataError
from rtrack_ros.language.answers import Box

FACTS = LayoutFacts('CSV boxes', single_object=False, sentences='own')
FPS = 10.0


def read(root: Path) -> list[AnnotatedSequence]:
    """Return the videos below a folder, sorted by path.

    Raises:
        DataError: there is none, or one is incomplete.
    """
    folders = sorted(path.parent for path in root.rglob('boxes.csv'))
    if not folders:
        raise DataError(f'{root} holds no video in this layout; expected <video>/boxes.csv')
    return [_sequence(folder) for folder in folders]


def _sequence(folder: Path) -> AnnotatedSequence:
    rgb, thermal = list_images(folder / 'rgb'), list_images(folder / 'ir')
    require_equal(folder, rgb=len(rgb), ir=len(thermal))
    objects = _boxes(folder / 'boxes.csv', len(rgb))
    frames = tuple(
        AnnotatedFrame(round(index * 1e9 / FPS), image, heat, boxes, meant=frozenset(boxes))
        for index, (image, heat, boxes) in enumerate(zip(rgb, thermal, objects, strict=True)))
    sentence = (folder / 'sentence.txt').read_text(encoding='utf-8').strip()
    return AnnotatedSequence(FACTS.dataset, folder.name, frames, (sentence,), fps=FPS)


def _boxes(path: Path, count: int) -> list[dict[int, Box]]:
    """Return the boxes by id of every frame."""
    objects: list[dict[int, Box]] = [{} for _ in range(count)]
    with path.open(encoding='utf-8') as rows:
        for frame, name, x1, y1, x2, y2 in csv.reader(rows):
            if int(frame) >= count:
                raise DataError(f'{path} names frame {frame}, but there are {count} images; '
                                'fetch the images again')
            objects[int(frame)][int(name)] = float(x1), float(y1), float(x2), float(y2)
    return objects
