"""The images of a folder, each with the number or the time that its name says."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from rtrack_ros.data.image_names import NameKind, Names, natural_key, read_names, repeated
from rtrack_ros.data.pairs import DataError, Losses
from rtrack_ros.data.stored_images import Raw, StoredImage
from rtrack_ros.foreign_text import foreign_bytes
from rtrack_ros.intake.encodings import ConversionError
from rtrack_ros.intake.image_header import HeaderError, image_size
from rtrack_ros.intake.messages import decode_image

IMAGE_SUFFIXES = {'.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp'}


def read_image(path: Path) -> Raw:
    """Return an image as stored (16 bits stay 16 bits), turned as its file says.

    Raises:
        DataError: it cannot be read.
    """
    try:
        # From memory: imread cannot open some non-ASCII paths on Windows.
        return decode_image(np.frombuffer(foreign_bytes(path), np.uint8),
                            cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR, str(path))
    except (ConversionError, OSError) as error:
        raise DataError(f'{path} is not a readable image; delete or replace it ({error})'
                        ) from error


def stored_size(path: Path) -> tuple[int, int]:
    """Return (width, height) in pixels of an image, by its header.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return image_size(foreign_bytes(path))
    except (HeaderError, OSError) as error:
        raise DataError(f'{path} is not a readable image; delete or replace it ({error})'
                        ) from error


def list_images(folder: Path) -> list[Path]:
    """Return the images of a folder in natural order; hidden files are none.

    Raises:
        DataError: the folder is missing, or there is no image in it.
    """
    found = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES
             and not path.name.startswith('.')] if folder.is_dir() else []
    if not found:
        raise DataError(f'{folder} holds no images; expected files such as 000001.png')
    return sorted(found, key=lambda path: natural_key(path.name))


class ImageFolder:
    """The images of one folder, ordered by what their names say.

    Args:
        folder: Folder.
        fps: Images per second where the names say no time.

    Attributes:
        names: What the names say.

    Raises:
        DataError: the folder is missing, or there is no image in it, or it holds the images of two
            cameras.
    """

    def __init__(self, folder: Path, fps: float = 30.0) -> None:
        found = list_images(folder)
        stems = [path.stem for path in found]
        self.names: Names = read_names(stems)
        twice = repeated(stems) if self.names.kind is NameKind.ORDER else ()
        if twice:
            raise DataError(f'{folder} holds several images of one number, {twice[0]} and '
                            f'{twice[1]} for example; put the images of each camera into a folder '
                            'of its own, and one format of each')
        self.paths = [found[place] for place in self.names.order]
        self._rate = fps
        self._origin, self._step = int(self.names.values[0]), self.names.step

    @property
    def fps(self) -> float:
        """Images per second."""
        if self.names.kind is NameKind.TIME and len(self.paths) > 1:
            return 1e9 / float(np.median(np.diff(self.names.stamps_ns)))
        return self._rate

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, names: Names, origin: int | None = None, step: int | None = None) -> None:
        """Read the names in another way.

        Args:
            names: The way.
            origin: The number of an image at time zero; None for that of the first.
            step: Distance of the numbers of images that are ``1 / fps`` apart; None for the
                distance of neighbours.
        """
        self.names = names
        self._origin = int(names.values[0]) if origin is None else origin
        self._step = step or names.step

    def begin_at_zero(self) -> None:
        """Let the first image be at time zero, as the first frame of a video is."""
        if self.names.kind is NameKind.TIME:
            stamps_ns = self.names.stamps_ns
            self.take(Names(NameKind.TIME, stamps_ns - stamps_ns[0], self.names.order))

    def read(self, losses: Losses) -> Iterator[StoredImage]:
        """Yield the images; numbers that no name has are added to ``losses``."""
        stamps, numbers = self._stamps_ns(), self._numbers()
        losses.missing += numbers[-1] - len(numbers)
        for path, stamp_ns, number in zip(self.paths, stamps, numbers, strict=True):
            try:
                yield StoredImage(stamp_ns, read_image(path), number, str(path))
            except DataError as error:
                yield StoredImage(stamp_ns, None, number, str(error))

    def _stamps_ns(self) -> list[int]:
        if self.names.kind is NameKind.TIME:
            return [int(stamp) for stamp in self.names.stamps_ns]
        places = (self.names.values - self._origin) / self._step
        return [round(place * 1e9 / self._rate) for place in places.tolist()]

    def _numbers(self) -> list[int]:
        if self.names.kind is not NameKind.NUMBER:
            return list(range(1, len(self.paths) + 1))
        return [int(place) for place in
                (self.names.values - self.names.values[0]) // self.names.step + 1]


def align(rgb: ImageFolder, thermal: ImageFolder) -> tuple[bool, Sequence[str]]:
    """Bring two folders onto one time.

    Returns:
        Whether an image belongs to the one of the same number only, and what there is to say.
    """
    first, second = rgb.names, thermal.names
    kinds = {first.kind, second.kind}
    if kinds == {NameKind.TIME, NameKind.NUMBER} and first.meets(second):
        # Times that happen to be evenly spaced look like numbers.
        unit_ns = (first if first.kind is NameKind.TIME else second).unit_ns
        rgb.take(first.as_times(unit_ns))
        thermal.take(second.as_times(unit_ns))
        return False, ()
    if kinds == {NameKind.TIME}:
        return False, () if _meet(first, second) else (
            'the times in the names of RGB and thermal images lie apart: none are paired',)
    if kinds == {NameKind.NUMBER}:
        if first.gapless and second.gapless and len(rgb) == len(thermal):
            return True, ()
        if first.meets(second):
            origin = int(min(first.values[0], second.values[0]))
            rgb.take(first, origin, first.step)
            thermal.take(second, origin, first.step)
            return True, ()
    rgb.take(first.as_order())
    thermal.take(second.as_order())
    return True, ('the names of RGB and thermal images do not say which belong together: they are '
                  'paired in order',)


def _meet(first: Names, second: Names) -> bool:
    a, b = first.stamps_ns, second.stamps_ns
    return bool(a[0] <= b[-1] and b[0] <= a[-1])
