"""The frames of a video file, each with the time that the container has for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from rtrack_ros.data.pairs import DataError, Losses
from rtrack_ros.data.stored_images import StoredImage
from rtrack_ros.foreign_text import ForeignNameError, utf8_path
from rtrack_ros.intake.image_header import HeaderError, image_size
from rtrack_ros.intake.messages import DEFAULT_MPX

DEFAULT_FPS: Final = 30.0
_LOOKED_AT: Final = 30
_HEAD_BYTES: Final = 1 << 20
# Videos of these containers carry the exact number of their frames.
_COUNTING: Final = {b'ftyp': 4, b'AVI ': 8}


class VideoFile:
    """The frames of one video file, BGR as OpenCV decodes them.

    The rate that a container names is not believed: browsers name none, and telephones change it
    while they record. Where a container has no times either, frames follow each other evenly.

    Args:
        path: File.

    Raises:
        DataError: the file cannot be opened as a video, or has no frame.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        capture = self._open()
        named, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        times_ms = [time for _, time in zip(range(_LOOKED_AT), _times(capture), strict=False)]
        capture.release()
        if not times_ms:
            raise DataError(f'{path} has no frame that can be decoded; was it cut short?')
        steps = np.diff(times_ms)
        measured = 1e3 / float(np.median(steps)) if len(steps) and steps.min() > 0 else None
        named = float(named) if np.isfinite(named) and named > 0 else DEFAULT_FPS
        # The time of the whole follows from the rate that OpenCV counted the frames by.
        self._duration_s = max(float(count), 0.0) / named if np.isfinite(count) else 0.0
        self._exact = int(count) if count > 0 and self._counts_frames() else None
        self.fps = named if measured is None or abs(measured / named - 1) < 0.1 else measured

    def __len__(self) -> int:
        return self._exact if self._exact is not None else round(self._duration_s * self.fps)

    def read(self, losses: Losses) -> Iterator[StoredImage]:
        """Yield the frames; what is missing at the end is added to ``losses``."""
        capture = self._open()
        number = 0
        stamps: list[int] = []
        try:
            for number, time_ms in enumerate(_times(capture), start=1):
                step_ns = round(1e9 / self.fps)
                stamp_ns = round(time_ms * 1e6)
                if stamps and stamp_ns <= stamps[-1]:
                    stamp_ns = stamps[-1] + step_ns
                stamps = [*stamps[-_LOOKED_AT:], stamp_ns]
                readable, pixels = capture.retrieve()
                yield StoredImage(stamp_ns, pixels if readable else None, number,
                                  '' if readable else f'frame {number} of {self.path}')
        finally:
            capture.release()
        losses.missing += self._lacks(number, stamps)

    def _lacks(self, count: int, stamps: list[int]) -> int:
        """Return how many frames are missing after these."""
        if self._exact is not None:
            return max(self._exact - count, 0)
        steps = np.diff(stamps)
        step_s = float(np.median(steps)) * 1e-9 if len(steps) > 1 else 1.0 / self.fps
        short_s = self._duration_s - ((stamps or [0])[-1] * 1e-9 + step_s)
        # Durations are rounded, and the last frame may be shown longer than the others.
        return round(short_s / step_s) if short_s > max(3.0 * step_s, 0.2) else 0

    def _counts_frames(self) -> bool:
        with self.path.open('rb') as file:
            head = file.read(12)
        return any(head[at:at + 4] == mark for mark, at in _COUNTING.items())

    def _open(self) -> cv2.VideoCapture:
        self._refuse_image()
        try:
            capture = cv2.VideoCapture(utf8_path(self.path))
        except ForeignNameError as error:
            raise DataError(str(error)) from error
        if not capture.isOpened():
            raise DataError(f'{self.path} cannot be decoded as a video; a recording that was cut '
                            'short may lack its index. Convert it, for example with: '
                            f'ffmpeg -i {self.path.name} converted.mp4')
        pixels = capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if pixels > DEFAULT_MPX * 1e6:
            capture.release()
            raise DataError(f'{self.path} has {pixels * 1e-6:.0f} million pixels in a frame, and '
                            f'at most {DEFAULT_MPX:g} are decoded; scale it down, for example '
                            f'with: ffmpeg -i {self.path.name} -vf scale=1920:-2 smaller.mp4')
        return capture

    def _refuse_image(self) -> None:
        """Refuse a single image, which OpenCV would decode without a look at its size."""
        try:
            with self.path.open('rb') as file:
                image_size(file.read(_HEAD_BYTES))
        except (HeaderError, OSError):
            return
        raise DataError(f'{self.path} is one image; give a video or a folder of images')


def _times(capture: cv2.VideoCapture) -> Iterator[float]:
    """Take one frame after another; yield the container's time of each in milliseconds."""
    while capture.grab():
        yield float(capture.get(cv2.CAP_PROP_POS_MSEC))
