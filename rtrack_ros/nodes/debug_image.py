"""The picture for people: RGB and thermal side by side, tracks with their IDs, the sentences."""

from collections.abc import Sequence

import cv2
import numpy as np

from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.tracking.track import Track

# Bright on both spectra; neighbours in the list are far apart in hue.
COLOURS = ((255, 196, 0), (0, 200, 255), (255, 80, 120), (120, 255, 80), (200, 120, 255),
           (255, 255, 255), (0, 255, 180), (255, 140, 60))
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BAR_PX = 24


def draw(pair: FramePair, tracks: Sequence[Track], sentences: Sequence[str]) -> Image8:
    """Return uint8 RGB of shape (H + 24, 2 W, 3).

    Args:
        pair: The frame pair; a missing thermal image is shown black and named.
        tracks: Drawn on both halves, in pixels of the RGB image.
        sentences: Written in the bar on top.
    """
    halves = [np.ascontiguousarray(image).copy() for image in pair.images()]
    for half in halves:
        for track in tracks:
            _draw_track(half, track)
    if pair.thermal is None:
        cv2.putText(halves[1], 'no thermal image', (8, pair.height // 2), _FONT, 0.6,
                    (255, 255, 255), 1, cv2.LINE_AA)
    bar = np.zeros((_BAR_PX, 2 * pair.width, 3), np.uint8)
    # OpenCV's fonts hold ASCII only.
    text = ' | '.join(sentences).encode('ascii', 'replace').decode() or '(no query)'
    cv2.putText(bar, text[:200], (6, _BAR_PX - 8), _FONT, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([bar, np.hstack(halves)])


def _draw_track(image: Image8, track: Track) -> None:
    left, top, right, bottom = (round(edge) for edge in track.box)
    colour = COLOURS[track.id % len(COLOURS)]
    cv2.rectangle(image, (left, top), (right, bottom), colour, 2)
    cv2.putText(image, f'{track.id} {track.score:.2f}', (left, max(top - 4, 10)), _FONT, 0.45,
                colour, 1, cv2.LINE_AA)
