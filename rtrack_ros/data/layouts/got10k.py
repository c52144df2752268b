"""GOT-10k (Huang et al., 2019): one target each, RGB only, ten frames per second.

``<sequence>/00000001.jpg``, ``groundtruth.txt`` (``x,y,w,h``), ``absence.label`` and
``cover.label`` (0 to 8 eighths visible), ``meta_info.ini``. Of the test split only the first box
is public: its other frames count as not labelled.
"""

import configparser
from pathlib import Path

from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.boxes_file import read_boxes, require_equal
from rtrack_ros.data.image_folder import list_images
from rtrack_ros.data.layouts import LayoutFacts
from rtrack_ros.data.left_out import say_left_out
from rtrack_ros.data.pairs import DataError
from rtrack_ros.foreign_text import foreign_bytes

FACTS = LayoutFacts('GOT-10k', single_object=True, sentences='none')
FPS = 10.0
TARGET = 1
_COVERS = 8


def read(root: Path) -> list[AnnotatedSequence]:
    """Return the sequences below a folder, sorted by path.

    Raises:
        DataError: there is none, or one is incomplete.
    """
    folders = sorted(path.parent for path in root.rglob('groundtruth.txt'))
    say_left_out(root, folders, ['00000001.jpg'], 'groundtruth.txt')
    if not folders:
        raise DataError(f'{root} holds no sequence in the GOT-10k layout; expected '
                        '<sequence>/groundtruth.txt beside 00000001.jpg')
    return [_sequence(folder) for folder in folders]


def _sequence(folder: Path) -> AnnotatedSequence:
    images, boxes = list_images(folder), read_boxes(folder / 'groundtruth.txt')
    withheld = len(boxes) == 1 < len(images)
    if not withheld:
        require_equal(folder, boxes=len(boxes), images=len(images))
    count = len(boxes)
    absence = _flags(folder / 'absence.label', count, 0)
    covers = _flags(folder / 'cover.label', count, _COVERS)
    frames = []
    for index, image in enumerate(images):
        known = index < count
        box = boxes[index] if known and not absence[index] else None
        frames.append(AnnotatedFrame(
            round(index * 1e9 / FPS), image, None, {} if box is None else {TARGET: box},
            frozenset() if box is None else frozenset({TARGET}), known,
            covers[index] / _COVERS if known else 1.0))
    return AnnotatedSequence('GOT-10k', folder.name, tuple(frames), fps=FPS,
                             labels={TARGET: _category(folder)})


def _flags(path: Path, count: int, default: int) -> list[int]:
    """Return one whole number per frame, or the default where the split has no such file."""
    if not path.is_file():
        return [default] * count
    try:
        values = [int(float(cell)) for cell in foreign_bytes(path).decode().split()]
    except (ValueError, OverflowError) as error:
        raise DataError(f'{path}: {error}; expected one number per line') from error
    require_equal(path, labels=len(values), boxes=count)
    return values


def _category(folder: Path) -> str:
    meta = configparser.ConfigParser()
    try:
        meta.read(folder / 'meta_info.ini', encoding='utf-8')
    except configparser.Error as error:
        raise DataError(f'{folder / "meta_info.ini"} is damaged: {error}') from error
    return meta.get('METAINFO', 'object_class', fallback='object')
