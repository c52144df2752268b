"""The picture of a run: RGB and thermal side by side, what is followed, and what was asked."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.report.text import put_text, shown, text_width
from rtrack_ros.foreign_text import utf8_path
from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.language.answers import Box
from rtrack_ros.output_files import finished_at_the_end, require_space
from rtrack_ros.palette import PALETTE, Colour, colour_of

PANEL_HEIGHT = 480
MARGIN, HEADER, FOOTER = 16, 64, 34
CODECS = ('mp4v', 'avc1')
LONGEST_STILL_S = 5.0
CHECKED_EVERY = 30

BACKGROUND: Colour = (19, 22, 28)
SURFACE: Colour = (38, 43, 53)
BRIGHT: Colour = (240, 243, 248)
DIM: Colour = (139, 148, 163)
TRUTH: Colour = (255, 255, 255)
CONDITION_COLOURS: dict[str, Colour] = {
    'day': (255, 209, 102), 'dusk': (244, 151, 108), 'night': (122, 140, 224),
    'smoke': (176, 182, 190), 'glare': (255, 240, 170), 'crossover': (148, 196, 162)}


class Identified(Protocol):
    """Something with an identity and a place: a track, or a row of truth."""

    @property
    def id(self) -> int:
        """Identity."""

    @property
    def box(self) -> Box:
        """x1, y1, x2, y2 in pixels of the RGB image."""


def compose_picture(pair: FramePair, tracks: Iterable[Identified], sentence: str = '',
                    condition: str = '', time_s: float | None = None,
                    truth: Sequence[Identified] | None = None) -> Image8:
    """Return one overlay picture, RGB, about 1330 x 580 pixels for a 4:3 camera.

    Args:
        pair: The frame pair.
        tracks: What is followed; drawn as coloured boxes with their IDs.
        sentence: The active query; empty for none.
        condition: Name of the weather; empty where it is not known.
        time_s: Seconds from the start; None where it is not known.
        truth: What the sentence means, drawn as white corners; None where it is not known.
    """
    scale = PANEL_HEIGHT / pair.height
    width = round(pair.width * scale / 2) * 2
    canvas = np.empty((HEADER + PANEL_HEIGHT + FOOTER, 2 * width + 3 * MARGIN, 3), np.uint8)
    canvas[:] = BACKGROUND
    followed = list(tracks)
    _header(canvas, sentence, condition, time_s)
    for number, (name, image) in enumerate((('RGB', pair.rgb), ('thermal', _warm(pair)))):
        left = MARGIN + number * (width + MARGIN)
        panel = canvas[HEADER:HEADER + PANEL_HEIGHT, left:left + width]
        if image is None:
            panel[:] = SURFACE
            put_text(panel, 'no thermal image', width // 2 - 70, PANEL_HEIGHT // 2, 18, DIM)
        else:
            panel[:] = cv2.resize(image, (width, PANEL_HEIGHT), interpolation=cv2.INTER_LINEAR)
        _draw_boxes(panel, followed, truth or (), scale)
        _tag(panel, name)
    _footer(canvas, len(followed), None if truth is None else len(truth))
    return canvas


def _warm(pair: FramePair) -> Image8 | None:
    """Return the thermal image in the colours that people know thermal cameras by."""
    if pair.thermal is None:
        return None
    bgr = cv2.applyColorMap(pair.thermal, cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _header(canvas: Image8, sentence: str, condition: str, time_s: float | None) -> None:
    right = canvas.shape[1] - MARGIN
    if time_s is not None:
        right -= 78
        put_text(canvas, f'{time_s:6.1f} s', right, 21, 20, DIM)
    if condition:
        right -= text_width(condition, 18) + 44
        colour = CONDITION_COLOURS.get(condition, DIM)
        cv2.circle(canvas, (right + 8, 33), 6, colour, -1, cv2.LINE_AA)
        put_text(canvas, condition, right + 22, 22, 18, colour)
    if sentence:
        left = put_text(canvas, 'follow', MARGIN, 24, 16, DIM) + 12
        quoted = f'\N{LEFT DOUBLE QUOTATION MARK}{sentence}\N{RIGHT DOUBLE QUOTATION MARK}'
        put_text(canvas, shown(quoted, 24, right - left - 24), left, 17, 24, BRIGHT)
    else:
        put_text(canvas, 'nothing asked', MARGIN, 20, 20, DIM)


def _draw_boxes(panel: Image8, tracks: Sequence[Identified], truth: Sequence[Identified],
                scale: float) -> None:
    for known in truth:
        _corners(panel, [round(value * scale) for value in known.box])
    for track in tracks:
        x1, y1, x2, y2 = (round(value * scale) for value in track.box)
        colour, label = colour_of(track.id), str(track.id)
        # The dark line around keeps a box visible on any background.
        cv2.rectangle(panel, (x1, y1), (x2, y2), BACKGROUND, 4, cv2.LINE_AA)
        cv2.rectangle(panel, (x1, y1), (x2, y2), colour, 2, cv2.LINE_AA)
        top = y1 - 22 if y1 >= 22 else y1
        end = x1 + text_width(label, 16) + 9
        cv2.rectangle(panel, (x1 - 1, top), (end, top + 21), colour, -1)
        put_text(panel, label, x1 + 4, top + 1, 16, BACKGROUND)


def _corners(panel: Image8, box: list[int]) -> None:
    x1, y1, x2, y2 = box
    arm = max(4, min(x2 - x1, y2 - y1) // 4)
    for x, sx in ((x1, 1), (x2, -1)):
        for y, sy in ((y1, 1), (y2, -1)):
            cv2.line(panel, (x, y), (x + sx * arm, y), TRUTH, 1, cv2.LINE_AA)
            cv2.line(panel, (x, y), (x, y + sy * arm), TRUTH, 1, cv2.LINE_AA)


def _tag(panel: Image8, name: str) -> None:
    end = 18 + text_width(name, 14)
    corner = panel[8:32, 8:end + 8]
    corner[:] = corner // 3
    put_text(panel, name, 17, 10, 14, BRIGHT)


def _footer(canvas: Image8, tracks: int, truth: int | None) -> None:
    top = canvas.shape[0] - FOOTER + 8
    cv2.rectangle(canvas, (MARGIN, top + 3), (MARGIN + 12, top + 15), PALETTE[0], 2)
    left = put_text(canvas, f'{tracks} followed', MARGIN + 20, top, 14, DIM)
    if truth is not None:
        left += 24
        _corners(canvas, [left, top + 3, left + 14, top + 16])
        put_text(canvas, f'{truth} meant by the sentence', left + 22, top, 14, DIM)


class OverlayWriter:
    """Writes overlay pictures into an mp4 file; a context manager.

    Args:
        path: File to write; the folder is created.
        fps: Frames per second of the video.
        in_time: Whether a time without pictures is filled with the one before, so that the video
            runs as the recording did.

    Raises:
        DataError: on the first picture, when no codec of this OpenCV can write the file.
    """

    def __init__(self, path: Path | str, fps: float, in_time: bool = False) -> None:
        self.path, self.frames, self._in_time = Path(path), 0, in_time
        self._fps = fps
        self._video: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._files = ExitStack()
        self._newest: Image8 | None = None

    def __enter__(self) -> 'OverlayWriter':
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def write(self, pair: FramePair, tracks: Iterable[Identified], sentence: str = '',
              condition: str = '', time_s: float | None = None,
              truth: Sequence[Identified] | None = None) -> None:
        """Compose and append one picture; the arguments are those of :func:`compose_picture`."""
        picture = compose_picture(pair, tracks, sentence, condition, time_s, truth)
        for _ in range(self._gap(time_s)):
            self._append()
        self.write_picture(picture)

    def write_picture(self, picture: Image8) -> None:
        """Append one composed picture, RGB.

        Raises:
            OutputError: the disk is full.
        """
        if self._video is None:
            self._size = (picture.shape[1], picture.shape[0])
            self._video = self._open()
        if picture.shape[1::-1] != self._size:
            picture = np.asarray(cv2.resize(picture, self._size), np.uint8)
        self._newest = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)
        self._append()

    def close(self) -> None:
        """Finish the file, which appears in its place now."""
        if self._video is not None:
            self._video.release()
            self._video = None
        self._files.close()

    def _gap(self, time_s: float | None) -> int:
        """Return how many pictures are missing until a time: the newest one stands still there."""
        if not self._in_time or time_s is None or self._newest is None:
            return 0
        return min(max(round(time_s * self._fps) - self.frames, 0),
                   round(LONGEST_STILL_S * self._fps))

    def _append(self) -> None:
        if self.frames % CHECKED_EVERY == 0:
            require_space(self.path)
        assert self._video is not None
        self._video.write(self._newest)
        self.frames += 1

    def _open(self) -> cv2.VideoWriter:
        part = self._files.enter_context(finished_at_the_end(self.path))
        for codec in CODECS:
            video = cv2.VideoWriter(utf8_path(part), cv2.VideoWriter.fourcc(*codec), self._fps,
                                    self._size)
            if video.isOpened():
                return video
        raise DataError(f'this OpenCV can write {self.path} with none of the codecs '
                        f'{", ".join(CODECS)}; install opencv-python-headless')
