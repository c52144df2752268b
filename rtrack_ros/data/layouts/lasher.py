"""LasHeR (Li et al., 2021): aligned RGB-thermal sequences with one target each.

``<sequence>/visible/*.jpg``, ``<sequence>/infrared/*.jpg`` (names irregular, natural order
counts), ``visible.txt`` and ``infrared.txt`` (the same ``x,y,w,h``, 0 by 0 where the target is
absent). A text file such as ``visible_description.txt`` beside them, as RAGTrack adds, is read.
"""

from pathlib import Path

from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.boxes_file import read_boxes, require_equal
from rtrack_ros.data.image_folder import list_images
from rtrack_ros.data.layouts import LayoutFacts
from rtrack_ros.data.left_out import say_left_out
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.refrt_folder import decode_text
from rtrack_ros.foreign_text import foreign_bytes

FACTS = LayoutFacts('LasHeR', single_object=True, sentences='some')
FPS = 30.0
TARGET = 1
"""Id of the one target."""


def read(root: Path) -> list[AnnotatedSequence]:
    """Return the sequences below a folder, sorted by path.

    Raises:
        DataError: there is none, or one is incomplete.
    """
    folders = sorted(path.parent for path in root.rglob('visible.txt'))
    say_left_out(root, folders, ['visible'], 'visible.txt')
    if not folders:
        raise DataError(f'{root} holds no sequence in the LasHeR layout; expected '
                        '<sequence>/visible.txt beside visible/ and infrared/')
    return [_sequence(folder) for folder in folders]


def _sequence(folder: Path) -> AnnotatedSequence:
    boxes = read_boxes(folder / 'visible.txt')
    rgb, thermal = list_images(folder / 'visible'), list_images(folder / 'infrared')
    require_equal(folder, boxes=len(boxes), visible=len(rgb), infrared=len(thermal))
    frames = tuple(
        AnnotatedFrame(round(index * 1e9 / FPS), image, heat,
                       {} if box is None else {TARGET: box},
                       frozenset() if box is None else frozenset({TARGET}))
        for index, (image, heat, box) in enumerate(zip(rgb, thermal, boxes, strict=True)))
    notes: tuple[str, ...] = ()
    if (folder / 'infrared.txt').is_file() and read_boxes(folder / 'infrared.txt') != boxes:
        notes = ('infrared.txt differs from visible.txt; the boxes are those of visible.txt',)
    return AnnotatedSequence('LasHeR', folder.name, frames, _sentences(folder), fps=FPS,
                             notes=notes)


def _sentences(folder: Path) -> tuple[str, ...]:
    source = folder / 'visible_description.txt'
    if not source.is_file():
        return ()
    lines = decode_text(foreign_bytes(source), str(source)).splitlines()
    return tuple(line.strip() for line in lines if line.strip())[:1]
