"""Frame pairs from video files, image folders and bags.

Recordings of this kind carry no time: frame ``i`` is stamped ``i / fps``. A thermal stream of
another rate is paired by time, every RGB frame with the newest thermal frame of its instant.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rtrack_ros.data.pairs import DataError, PairSource
from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal

IMAGE_SUFFIXES = {'.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp'}
Raw = NDArray[np.generic]


def natural_key(name: str) -> list[tuple[int, int | str]]:
    """Return a sort key under which ``frame10`` follows ``frame9``."""
    return [(0, int(part)) if part.isdigit() else (1, part.lower())
            for part in re.split(r'(\d+)', name) if part]


class ImageList:
    """Images of given paths, read as stored (16 bits stay 16 bits)."""

    def __init__(self, paths: Sequence[Path], fps: float = 30.0) -> None:
        self.paths = list(paths)
        self.fps = fps

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Raw]:
        for path in self.paths:
            # imdecode on bytes: imread cannot open some non-ASCII paths on Windows.
            image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
            if image is None:
                raise DataError(f'{path} is not a readable image; delete or replace it')
            yield image


class ImageFolder(ImageList):
    """The images of one folder in natural order.

    Raises:
        DataError: the folder is missing, or there is no image in it.
    """

    def __init__(self, folder: Path, fps: float = 30.0) -> None:
        super().__init__(list_images(folder), fps)


def list_images(folder: Path) -> list[Path]:
    """Return the images of a folder in natural order.

    Raises:
        DataError: the folder is missing, or there is no image in it.
    """
    found = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES
             ] if folder.is_dir() else []
    if not found:
        raise DataError(f'{folder} holds no images; expected files such as 000001.png')
    return sorted(found, key=lambda path: natural_key(path.name))


class VideoFile:
    """The frames of one video file, BGR as OpenCV decodes them.

    Raises:
        DataError: the file cannot be opened as a video.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        capture = self._open()
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if np.isfinite(fps) and fps > 0 else 30.0
        self._count = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        capture.release()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Raw]:
        capture = self._open()
        try:
            while True:
                readable, image = capture.read()
                if not readable:
                    return
                yield image
        finally:
            capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path))
        if not capture.isOpened():
            raise DataError(f'{self.path} cannot be decoded as a video; convert it, for example '
                            f'with: ffmpeg -i {self.path.name} converted.mp4')
        return capture


class VideoPairs:
    """RGB frames with the thermal frame of the same instant.

    A thermal stream that ends early leaves the remaining pairs without thermal.

    Args:
        rgb: The RGB stream; decides number and rate of the pairs.
        thermal: The thermal stream, None for an RGB-only recording.
        limits: Fixed (low, high) raw counts for 16-bit thermal; None follows the scene.
    """

    def __init__(self, rgb: ImageList | VideoFile, thermal: ImageList | VideoFile | None,
                 limits: tuple[float, float] | None = None) -> None:
        self._rgb, self._thermal, self._limits = rgb, thermal, limits

    @property
    def fps(self) -> float:
        """RGB frames per second."""
        return self._rgb.fps

    def __len__(self) -> int:
        return len(self._rgb)

    def __iter__(self) -> Iterator[FramePair]:
        normalise = ThermalNormaliser(limits=self._limits)
        partners = self._partners()
        for index, image in enumerate(self._rgb):
            stamp_ns = round(index * 1e9 / self.fps)
            rgb, raw = _as_rgb(image), next(partners)
            thermal = None if raw is None else register_thermal(
                normalise(_as_single_channel(raw), stamp_ns), rgb.shape[1], rgb.shape[0])
            yield FramePair(stamp_ns, rgb, thermal)

    def _partners(self) -> Iterator[Raw | None]:
        """Yield the thermal frame of every RGB frame in turn, without end."""
        if self._thermal is None:
            while True:
                yield None
        frames, position, current = iter(self._thermal), -1, None
        index = 0
        while True:
            # The small share keeps 29.97 against 30 from slipping through rounding.
            wanted = int(index * self._thermal.fps / self.fps + 1e-6)
            while position < wanted:
                current, position = next(frames, None), position + 1
            yield current
            index += 1


def _as_rgb(image: Raw) -> Image8:
    eight = image if image.dtype == np.uint8 else image.astype(np.float32) / 257.0
    colour = np.ascontiguousarray(eight, dtype=np.uint8)
    if colour.ndim == 2:
        return np.asarray(cv2.cvtColor(colour, cv2.COLOR_GRAY2RGB), np.uint8)
    code = cv2.COLOR_BGRA2RGB if colour.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(colour, code), np.uint8)


def _as_single_channel(image: Raw) -> Raw:
    """Return a (h, w) image; a colour palette becomes its luminance."""
    if image.ndim == 2:
        return image
    code = cv2.COLOR_BGRA2GRAY if image.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return np.asarray(cv2.cvtColor(image, code))


def is_bag(path: Path | str) -> bool:
    """Whether ``path`` is a rosbag2 recording: a folder with ``metadata.yaml``, or one file."""
    source = Path(path)
    return source.suffix in ('.mcap', '.db3') or (source / 'metadata.yaml').is_file()


def open_stream(path: Path | str, fps: float = 30.0) -> ImageFolder | VideoFile:
    """Return the frames of a video file or an image folder.

    Args:
        path: A video file or a folder of images.
        fps: Rate of an image folder; videos know theirs.

    Raises:
        DataError: there is nothing at ``path`` or it cannot be read.
    """
    source = Path(path)
    if source.is_dir():
        return ImageFolder(source, fps)
    if not source.exists():
        raise DataError(f'there is nothing at {source}; give a video file, a folder of images or '
                        'a bag')
    return VideoFile(source)


def open_pairs(rgb: Path | str, thermal: Path | str | None = None, fps: float = 30.0,
               limits: tuple[float, float] | None = None) -> PairSource:
    """Return the frame pairs of two recordings, or of one bag that holds both.

    Args:
        rgb: Video file, image folder, or bag (a folder with ``metadata.yaml`` or a ``.mcap``).
        thermal: Video file or image folder; None for RGB alone, and for a bag.
        fps: Rate of image folders.
        limits: Fixed (low, high) raw counts for 16-bit thermal.

    Raises:
        DataError: an input is missing or unreadable.
    """
    if is_bag(rgb):
        from rtrack_ros.data.bag import read_pairs  # rosbags is needed for bags only

        if thermal is not None:
            raise DataError(f'{rgb} is a bag, which holds both cameras; leave the thermal '
                            'recording out, or choose topics')
        return read_pairs(rgb, limits=limits)
    return VideoPairs(open_stream(rgb, fps),
                      None if thermal is None else open_stream(thermal, fps), limits)
