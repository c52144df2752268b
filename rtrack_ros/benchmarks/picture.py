"""The picture at the top of the README: frames of several overlay videos side by side.

    python -m rtrack_ros.benchmarks.picture OUT.png VIDEO FRAME [VIDEO FRAME ...]

Every video is one column: RGB above, thermal below, cut from the frame as ``rtrack track
--overlay`` drew it. Frames count from 1.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.report.overlay import BACKGROUND, FOOTER, HEADER, MARGIN
from rtrack_ros.foreign_text import utf8_path
from rtrack_ros.frames import Image8

_WIDTH, _GAP = 1000, 8


def column(video: Path, frame: int) -> Image8:
    """Return one frame of an overlay video, its two panels one above the other, BGR.

    Raises:
        DataError: the video cannot be opened, or has no such frame.
    """
    capture = cv2.VideoCapture(utf8_path(video))
    capture.set(cv2.CAP_PROP_POS_FRAMES, frame - 1)
    read, picture = capture.read()
    capture.release()
    if not read:
        raise DataError(f'{video} has no frame {frame}; give a video of rtrack track --overlay '
                        'and a frame from 1')
    width = (picture.shape[1] - 3 * MARGIN) // 2
    panels = picture[HEADER:picture.shape[0] - FOOTER]
    return np.asarray(np.concatenate([panels[:, left:left + width] for left in (
        MARGIN, 2 * MARGIN + width)]), np.uint8)


def picture(columns: Sequence[Image8]) -> Image8:
    """Return columns side by side, 1000 pixels wide, BGR."""
    width = (_WIDTH - _GAP * (len(columns) - 1)) // len(columns)
    fitted = [cv2.resize(part, (width, round(part.shape[0] * width / part.shape[1])),
                         interpolation=cv2.INTER_AREA) for part in columns]
    canvas = np.empty((max(part.shape[0] for part in fitted), _WIDTH, 3), np.uint8)
    canvas[:] = BACKGROUND[::-1]
    for number, part in enumerate(fitted):
        left = number * (width + _GAP)
        canvas[:part.shape[0], left:left + width] = part
    return canvas


def main(argv: Sequence[str] | None = None) -> int:
    """Write the picture; returns the exit status."""
    out, *rest = sys.argv[1:] if argv is None else argv
    columns = [column(Path(video), int(frame))
               for video, frame in zip(rest[::2], rest[1::2], strict=True)]
    cv2.imwrite(utf8_path(out), picture(columns), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f'wrote {out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
