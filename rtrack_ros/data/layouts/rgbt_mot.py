"""RGB-thermal multi-object tracking in MOTChallenge form: VT-MOT (Zhu et al., 2024) and its like.

``{train,test}/<video>/{visible,infrared}/0000001.jpg`` and ``gt/gt.txt`` of nine columns, class 1
pedestrian, 2 car. The set has no expressions. A video is therefore returned once for each class,
asked for by its plural; a class that it does not show makes a sequence in which nothing is meant.
"""

from dataclasses import replace
from pathlib import Path

from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.boxes_file import require_equal
from rtrack_ros.data.image_folder import list_images
from rtrack_ros.data.layouts import LayoutFacts
from rtrack_ros.data.left_out import say_left_out
from rtrack_ros.data.mot import counted, read_mot
from rtrack_ros.data.pairs import DataError

FACTS = LayoutFacts('VT-MOT', single_object=False, sentences='class words')
FPS = 25.0
CLASSES = {1: 'pedestrian', 2: 'car'}


def read(root: Path) -> list[AnnotatedSequence]:
    """Return (video, class) pairs below a folder, sorted by path, named ``street+cars``.

    Raises:
        DataError: there is none, or one is incomplete.
        MotError: a row is malformed.
    """
    folders = sorted(path.parent.parent for path in root.rglob('gt/gt.txt'))
    say_left_out(root, folders, ['visible'], 'gt/gt.txt')
    if not folders:
        raise DataError(f'{root} holds no video in the layout of RGB-thermal MOT; expected '
                        '<video>/gt/gt.txt beside visible/ and infrared/')
    return [part for folder in folders for part in _by_class(_video(folder))]


def _video(folder: Path) -> AnnotatedSequence:
    """Return a video with all that is annotated in it; nothing is meant yet."""
    rgb, thermal = list_images(folder / 'visible'), list_images(folder / 'infrared')
    require_equal(folder, visible=len(rgb), infrared=len(thermal))
    rows = read_mot(folder / 'gt' / 'gt.txt', absent_boxes=True)
    last = max(rows, default=0)
    if last > len(rgb):
        raise DataError(f'{folder} has {len(rgb)} images, but gt.txt names frame {last}; fetch '
                        'the images again')
    frames = []
    for index, (image, heat) in enumerate(zip(rgb, thermal, strict=True)):
        boxes = {row.id: row.box for row in counted(rows, index + 1)}
        frames.append(AnnotatedFrame(round(index * 1e9 / FPS), image, heat, boxes,
                                     frozenset()))
    labels = {row.id: CLASSES.get(row.category, 'object') for number in rows
              for row in counted(rows, number)}
    return AnnotatedSequence('VT-MOT', folder.name, tuple(frames), labels=labels, fps=FPS)


def _by_class(video: AnnotatedSequence) -> list[AnnotatedSequence]:
    """Return a video once for each class, with a sentence that means all objects of it."""
    return [replace(video, name=f'{video.name}+{word}s', sentences=(f'the {word}s',),
                    frames=tuple(replace(frame, meant=frozenset(
                        name for name in frame.objects if video.label(name) == word))
                        for frame in video.frames))
            for word in CLASSES.values()]
