"""Refer-KITTI (Wu et al., 2023) and Refer-KITTI-V2: sentences about KITTI's driving videos.

``KITTI/training/image_02/<video>/000000.png``,
``KITTI/labels_with_ids/image_02/<video>/000000.txt`` (``class id x y w h``, top-left corner and
size as shares of the image) and
``expression/<video>/<words>.json`` with ``label`` {frame from 0: [ids]} and ``sentence``.

Two traps make published figures differ. *Frames*: the truth of JSON key ``k`` is in label file
``k``; the first evaluation of TransRMOT took file ``k + 1``, which costs it 8 HOTA, and
``label_shift=1`` repeats that. *Pairs*: lists of (video, expression) pairs differ between papers;
:func:`read_seqmap` reads one whole, names with commas and a last line without a newline included.
Without a list the videos of training are read too: 0005, 0011 and 0013 are those of the test, in
V2 0019 as well.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.image_folder import list_images, stored_size
from rtrack_ros.data.layouts import LayoutFacts
from rtrack_ros.data.pairs import DataError
from rtrack_ros.foreign_text import ForeignNameError, foreign_bytes, parse_json, plain_name, shown
from rtrack_ros.language.answers import Box

FACTS = LayoutFacts('Refer-KITTI and Refer-KITTI-V2', single_object=False, sentences='own')
FPS = 10.0
CLASSES = {0: 'car', 1: 'person'}
Pair = tuple[str, str]


def read(root: Path, pairs: Sequence[Pair] | None = None, label_shift: int = 0
         ) -> list[AnnotatedSequence]:
    """Return (video, expression) pairs, named ``0005+cars-in-left``.

    Args:
        root: Holds ``KITTI/`` and ``expression/``.
        pairs: Which, as :func:`read_seqmap` returns them; None takes every expression file.
        label_shift: Which label file holds the truth of a frame, counted from it; 0 is right.

    Raises:
        DataError: files are missing or damaged.
    """
    folder = root / 'expression'
    chosen = pairs if pairs is not None else [
        (path.parent.name, path.stem) for path in sorted(folder.glob('*/*.json'))]
    if not chosen:
        raise DataError(f'{root} holds no expressions in the Refer-KITTI layout; expected '
                        'expression/<video>/<words>.json beside KITTI/')
    videos = {name: _video(root / 'KITTI', name, label_shift)
              for name in sorted({video for video, _ in chosen})}
    return [_pair(videos[video], folder / video / f'{words}.json') for video, words in chosen]


def read_seqmap(path: Path | str) -> list[Pair]:
    """Return the (video, expression) pairs of a list, one ``video+expression`` per line.

    The line is the name: it is no CSV, as expressions of V2 hold commas; quotes around a line and
    a header ``name`` are removed.

    Raises:
        DataError: it cannot be read, a line is no pair, or is there twice.
    """
    pairs: list[Pair] = []
    try:
        lines = foreign_bytes(path).decode('utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{path} is no list of pairs ({error}); write lines such as '
                        '0005+cars-in-left') from error
    for number, line in enumerate(lines, 1):
        text = line.strip().strip('"')
        if not text or (number == 1 and text.lower() == 'name'):
            continue
        video, plus, words = text.partition('+')
        if not (video and plus and words) or (video, words) in pairs:
            raise DataError(f"{path}:{number}: '{shown(text)}' is no new pair; write lines such "
                            'as 0005+cars-in-left, each once')
        try:
            pairs.append((plain_name(video), plain_name(words)))
        except ForeignNameError as error:
            raise DataError(f'{path}:{number}: {error}') from error
    return pairs


def _video(kitti: Path, name: str, label_shift: int) -> AnnotatedSequence:
    """Return a video with all of its labelled objects; none is meant yet."""
    images = list_images(kitti / 'training' / 'image_02' / name)
    folder = kitti / 'labels_with_ids' / 'image_02' / name
    if not folder.is_dir():
        raise DataError(f'{folder} is missing; Refer-KITTI ships it as labels_with_ids')
    size = stored_size(images[0])
    frames, labels = [], {}
    for index, image in enumerate(images):
        rows = _label_rows(folder / f'{int(image.stem) + label_shift:06d}.txt', size)
        labels.update({identity: CLASSES.get(kind, 'object')
                       for identity, (kind, _) in rows.items()})
        frames.append(AnnotatedFrame(round(index * 1e9 / FPS), image, None,
                                     {name: box for name, (_, box) in rows.items()}, frozenset()))
    return AnnotatedSequence('Refer-KITTI', name, tuple(frames), labels=labels, fps=FPS)


def _label_rows(path: Path, size: tuple[int, int]) -> dict[int, tuple[int, Box]]:
    """Return class and pixel box by id; a frame without a file has no objects."""
    if not path.is_file():
        return {}
    rows: dict[int, tuple[int, Box]] = {}
    lines = foreign_bytes(path).decode(errors='replace').splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            kind, identity, x, y, w, h = (float(cell) for cell in line.split())
            _refuse_infinite(kind, identity, x, y, w, h)
        except ValueError:
            raise DataError(f'{path}:{number}: expected class id x y w h as shares of the image; '
                            f"got '{line.strip()}'") from None
        rows[int(identity)] = int(kind), (x * size[0], y * size[1], (x + w) * size[0],
                                          (y + h) * size[1])
    return rows


def _refuse_infinite(*values: float) -> None:
    if not all(map(math.isfinite, values)):
        raise ValueError('not finite')


def _pair(video: AnnotatedSequence, path: Path) -> AnnotatedSequence:
    try:
        content: dict[str, Any] = parse_json(foreign_bytes(path))
        named = {int(frame): frozenset(map(int, ids))
                 for frame, ids in content['label'].items()}
        sentence = str(content.get('sentence') or path.stem.replace('-', ' '))
    except (OSError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise DataError(f'cannot read the expression {path} ({error!r}); fetch it again, or take '
                        'the pair out of the list') from error
    frames = tuple(map(partial(_frame, named=named), video.frames))
    return replace(video, name=f'{video.name}+{path.stem}', sentences=(sentence,),
                   frames=frames, notes=_notes(video, named))


def _frame(frame: AnnotatedFrame, named: Mapping[int, frozenset[int]]) -> AnnotatedFrame:
    ids = named.get(int(frame.rgb.stem), frozenset())
    return replace(frame, meant=ids & frozenset(frame.objects))


def _notes(video: AnnotatedSequence, named: Mapping[int, frozenset[int]]) -> tuple[str, ...]:
    boxed = {int(frame.rgb.stem): frozenset(frame.objects) for frame in video.frames}
    missing = sum(len(ids - boxed.get(number, frozenset())) for number, ids in named.items())
    return (f'{missing} times an id is named that has no box in the labels',) if missing else ()
