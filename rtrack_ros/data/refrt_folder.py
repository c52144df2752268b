"""The folder layout of RefRT: one folder per (video, description).

``<split>/<source>_<video>_<description>/`` holds ``description.txt``, ``gt.txt`` (MOTChallenge
rows, only those that the description means) and two folders of images. The names of the image
folders differ between releases of RGB-thermal sets, so that a reader has to look. A file
``condition.txt`` with one word, such as ``night``, is our addition: scores are split by it.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.data.image_folder import ImageFolder
from rtrack_ros.data.left_out import say_left_out
from rtrack_ros.data.mot import MotFrames, read_mot, write_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.truth import SceneTruth, TruthCollector, file_name
from rtrack_ros.data.videos import VideoPairs
from rtrack_ros.foreign_text import foreign_bytes
from rtrack_ros.simulation import Scene, SimFrame

IMAGE_FOLDERS = (('visible', 'infrared'), ('rgb', 'ir'))
CONDITION_FILE = 'condition.txt'
ENCODINGS = ('utf-8', 'utf-8-sig', 'gb18030')
JPEG_QUALITY = 95


@dataclass(frozen=True)
class RefRtSequence:
    """One (video, description) pair.

    Attributes:
        folder: Where it lies.
        descriptions: The lines of ``description.txt``, in whatever languages it has.
        truth: Boxes that the description means, by frame from 1.
    """

    folder: Path
    descriptions: tuple[str, ...]
    truth: MotFrames

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def split(self) -> str:
        """Name of the folder above, 'train' or 'test'."""
        return self.folder.parent.name

    @property
    def sentence(self) -> str:
        """The English description, else the first one."""
        english = [line for line in self.descriptions if line.isascii()]
        return (english or list(self.descriptions) or [''])[0]

    @property
    def condition(self) -> str:
        """What ``condition.txt`` says, else the set it was taken from, as in ``LasHeR_...``."""
        noted = self.folder / CONDITION_FILE
        if noted.is_file():
            return decode_text(foreign_bytes(noted), str(noted)).strip()
        return re.split(r'[_\-]', self.name, maxsplit=1)[0]

    def pairs(self, fps: float = 30.0) -> VideoPairs:
        """Return the frame pairs.

        Args:
            fps: Frames per second; the layout does not say.

        Raises:
            DataError: the image folders are missing or empty.
        """
        for visible, infrared in IMAGE_FOLDERS:
            if (self.folder / visible).is_dir():
                thermal = self.folder / infrared
                return VideoPairs(ImageFolder(self.folder / visible, fps),
                                  ImageFolder(thermal, fps) if thermal.is_dir() else None)
        wanted = ' or '.join(pair[0] for pair in IMAGE_FOLDERS)
        raise DataError(f'{self.folder} has no image folder {wanted}')


def read_refrt(root: Path | str) -> list[RefRtSequence]:
    """Return the sequences below a folder, sorted by path.

    Args:
        root: A split, or the folder that holds the splits.

    Raises:
        DataError: there is no sequence, or a description cannot be decoded.
    """
    folders = sorted(path.parent for path in Path(root).rglob('gt.txt'))
    say_left_out(Path(root), folders, [name for name, _ in IMAGE_FOLDERS], 'gt.txt')
    if not folders:
        raise DataError(f'{root} holds no sequence in the RefRT layout; expected folders '
                        '<split>/<source>_<video>_<description>/ with gt.txt')
    return [RefRtSequence(folder, _descriptions(folder),
                          read_mot(folder / 'gt.txt', absent_boxes=True)) for folder in folders]


def _descriptions(folder: Path) -> tuple[str, ...]:
    source = folder / 'description.txt'
    if not source.is_file():
        raise DataError(f'{source} is missing; it holds the sentence of the sequence')
    lines = decode_text(foreign_bytes(source), str(source)).splitlines()
    return tuple(line.strip() for line in lines if line.strip())


def decode_text(raw: bytes, name: str = 'text') -> str:
    """Return text of unknown encoding: UTF-8 with or without a mark, else GB 18030.

    Raises:
        DataError: none of them fits.
    """
    for encoding in ENCODINGS:
        try:
            return raw.decode(encoding).removeprefix('\ufeff')
        except UnicodeDecodeError:
            continue
    raise DataError(f'{name} is in none of the encodings {", ".join(ENCODINGS)}; save it as UTF-8')


def write_refrt(scene: Scene, folder: Path | str, *, split: str = 'train', source: str = 'sim',
                frames: Iterable[SimFrame] | None = None) -> list[Path]:
    """Write a scene, one folder per expression.

    RGB becomes JPEG; thermal stays raw 16-bit PNG at its own resolution. The images lie on the
    disk once: all folders of the scene hard-link to the same files where the file system can.

    Args:
        scene: What to write.
        folder: Root of the data set.
        split: Name of the split.
        source: First part of the folder names.
        frames: The scene's frames where they are drawn elsewhere; None draws them here.

    Returns:
        The folders, in the order of the scene's expressions.

    Raises:
        DataError: a sequence is already there.
    """
    video = f'{source}_{scene.place}{scene.seed:06d}'
    targets = [Path(folder) / split / f'{video}_{number:02d}-{file_name(expression.text)}'
               for number, expression in enumerate(scene.expressions)]
    if not targets:
        raise DataError(f'the scene of seed {scene.seed} has no expression; choose another seed')
    for target in targets:
        if target.exists():
            raise DataError(f'{target} exists; remove it or choose another folder')
    truth = _write_images(scene, targets[0], frames)
    for target in targets[1:]:
        _link_images(targets[0], target)
    for target, expression in zip(targets, truth.expressions, strict=True):
        (target / 'description.txt').write_text(expression.text + '\n', encoding='utf-8')
        write_mot(target / 'gt.txt', truth.rows(expression))
        if len(scene.conditions) == 1:
            (target / CONDITION_FILE).write_text(scene.conditions[0] + '\n')
    return targets


def _write_images(scene: Scene, target: Path, frames: Iterable[SimFrame] | None) -> SceneTruth:
    collector = TruthCollector(scene.fps, scene.expressions)
    visible, infrared = (target / name for name in IMAGE_FOLDERS[0])
    visible.mkdir(parents=True)
    infrared.mkdir()
    for frame in scene if frames is None else frames:
        collector.add(frame)
        name = f'{frame.index + 1:06d}'
        bgr = np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR))
        _write_image(visible / f'{name}.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        _write_image(infrared / f'{name}.png', frame.thermal, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return collector.truth()


def _write_image(path: Path, image: NDArray[np.generic], options: list[int]) -> None:
    written, encoded = cv2.imencode(path.suffix, image, options)
    if not written:
        raise DataError(f'{path} could not be encoded')
    encoded.tofile(path)


def _link_images(origin: Path, target: Path) -> None:
    for name in IMAGE_FOLDERS[0]:
        (target / name).mkdir(parents=True)
        for image in sorted((origin / name).iterdir()):
            copy = target / name / image.name
            try:
                os.link(image, copy)
            except OSError:
                copy.write_bytes(foreign_bytes(image))
