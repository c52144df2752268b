"""The picture for people: RGB and thermal side by side, tracks with their IDs, the sentences.

``evaluation.report.overlay`` paints much the same for videos and reports. The two share their
palette and nothing more: this one is drawn between two frames at the size of the camera's image,
with OpenCV's letters; that one is scaled, and letters it with Pillow, which the node never loads.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.intake.thermal_state import ThermalStatus
from rtrack_ros.palette import colour_of
from rtrack_ros.tracking.track import Track

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BAR_PX = 24


def draw(pair: FramePair, tracks: Sequence[Track], sentences: Sequence[str],
         thermal: ThermalStatus) -> Image8:
    """Return uint8 RGB of shape (H + 24, 2 W, 3).

    Args:
        pair: The frame pair; a missing thermal image is shown black.
        tracks: Drawn on both halves, in pixels of the RGB image.
        sentences: Written in the bar on top.
        thermal: How the thermal camera does; written where the thermal image is missing.
    """
    halves = [np.ascontiguousarray(image).copy() for image in pair.images()]
    for half in halves:
        for track in tracks:
            _draw_track(half, track)
    if pair.thermal is None:
        cv2.putText(halves[1], thermal.caption, (8, pair.height // 2), _FONT, 0.45,
                    (255, 255, 255), 1, cv2.LINE_AA)
    bar = np.zeros((_BAR_PX, 2 * pair.width, 3), np.uint8)
    # OpenCV's fonts hold ASCII only.
    text = ' | '.join(sentences).encode('ascii', 'replace').decode() or '(no query)'
    cv2.putText(bar, text[:200], (6, _BAR_PX - 8), _FONT, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([bar, np.hstack(halves)])


def _draw_track(image: Image8, track: Track) -> None:
    left, top, right, bottom = (round(edge) for edge in track.box)
    colour = colour_of(track.id)
    cv2.rectangle(image, (left, top), (right, bottom), colour, 2)
    cv2.putText(image, f'{track.id} {track.score:.2f}', (left, max(top - 4, 10)), _FONT, 0.45,
                colour, 1, cv2.LINE_AA)
