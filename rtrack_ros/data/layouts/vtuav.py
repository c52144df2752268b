"""VTUAV (Zhang et al., 2022): RGB-thermal video from drones, 1920x1080, one target each.

``<sequence>/rgb/``, ``<sequence>/ir/``, ``rgb.txt`` and ``ir.txt``; boxes exist for every tenth
frame: line ``k`` belongs to image ``10 k + first``, where ``init_frame.npy`` in one of the folders
above may name a ``first`` other than 0 for a sequence. Only labelled frames are returned, a third
of a second apart. Sequences that the training archives hold twice are returned once.
"""

from collections.abc import Mapping
from pathlib import Path

from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.boxes_file import read_boxes, require_equal
from rtrack_ros.data.image_folder import list_images
from rtrack_ros.data.inert_pickle import InertPickleError, read_numbers_by_name
from rtrack_ros.data.layouts import LayoutFacts
from rtrack_ros.data.left_out import say_left_out
from rtrack_ros.data.pairs import DataError
from rtrack_ros.foreign_text import foreign_bytes

FACTS = LayoutFacts('VTUAV', single_object=True, sentences='none')
FPS = 30.0
STEP = 10
TARGET = 1
_FIRST = 'init_frame.npy'


def read(root: Path) -> list[AnnotatedSequence]:
    """Return the sequences below a folder, sorted by path, each name once.

    Raises:
        DataError: there is none, or one is incomplete.
    """
    folders = sorted(path.parent for path in root.rglob('rgb.txt'))
    say_left_out(root, folders, ['rgb'], 'rgb.txt')
    if not folders:
        raise DataError(f'{root} holds no sequence in the VTUAV layout; expected '
                        '<sequence>/rgb.txt beside rgb/ and ir/')
    first = {name: index for path in sorted(root.rglob(_FIRST))
             for name, index in read_first_frames(path).items()}
    once = {folder.name: folder for folder in reversed(folders)}
    return [_sequence(folder, first.get(folder.name, 0)) for folder in folders
            if once[folder.name] == folder]


def _sequence(folder: Path, first: int) -> AnnotatedSequence:
    boxes = read_boxes(folder / 'rgb.txt')
    rgb, thermal = list_images(folder / 'rgb'), list_images(folder / 'ir')
    require_equal(folder, rgb=len(rgb), ir=len(thermal))
    last = first + STEP * (len(boxes) - 1)
    if last >= len(rgb):
        raise DataError(f'{folder} has {len(rgb)} images, but box {len(boxes)} belongs to image '
                        f'{last} from 0 (every {STEP}th from {first}); fetch the images again, or '
                        f'correct {_FIRST}')
    frames = tuple(
        AnnotatedFrame(round(STEP * line * 1e9 / FPS), rgb[first + STEP * line],
                       thermal[first + STEP * line], {} if box is None else {TARGET: box},
                       frozenset() if box is None else frozenset({TARGET}))
        for line, box in enumerate(boxes))
    return AnnotatedSequence('VTUAV', folder.name, frames, fps=FPS / STEP)


def read_first_frames(path: Path) -> Mapping[str, int]:
    """Return the first labelled image by sequence from ``init_frame.npy``, a pickled dictionary.

    It is read without unpickling it.

    Raises:
        DataError: the file is damaged, or holds more than names and numbers.
    """
    try:
        return read_numbers_by_name(foreign_bytes(path))
    except InertPickleError as error:
        raise DataError(f'{path} is not a dictionary of first frames ({error}); fetch it again, '
                        'or remove it where every sequence begins at image 0') from error
