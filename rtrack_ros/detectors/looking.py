"""One look of a detector at a pair: at each of its images, and what it sees joined."""

from dataclasses import dataclass

import numpy as np

from rtrack_ros.detections import DetectionCounts, Detections, on_rgb, rgb_pixels
from rtrack_ros.detectors.base import Detector, Seen
from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.detectors.suppression import suppressed
from rtrack_ros.frames import FramePair, Image8

_SAME_OBJECT = 0.5
"""Boxes of two images that overlap more are one object. It is less than within one image: the
images of two cameras never fit exactly."""


@dataclass(frozen=True)
class Look:
    """What came of a look.

    Attributes:
        detections: What was seen, in RGB pixels.
        counts: What became of the boxes.
        images: So many images were looked at.
    """

    detections: Detections
    counts: DetectionCounts
    images: int


def images_of(pair: FramePair, spectra: str) -> tuple[Image8, ...]:
    """Return the images of a pair that show the world at its stamp, as far as they are wanted.

    A thermal image lies on the RGB grid already. One that is held over from an earlier pair is
    left out: its boxes would be about another instant.
    """
    images = []
    if spectra != 'thermal' and pair.rgb_fresh:
        images.append(pair.rgb)
    if spectra != 'rgb' and pair.thermal is not None and pair.thermal_fresh:
        images.append(pair.thermal)
    return tuple(images)


def look(detector: Detector, pair: FramePair, config: DetectorConfig) -> Look | None:
    """Return what the detector sees on a pair; None where no image is worth a look.

    Raises:
        DetectorError: the network failed.
    """
    images = images_of(pair, config.spectra)
    if not images:
        return None
    seen = [_chosen(detector(image), config) for image in images]
    joined = suppressed(_joined(seen), 0.0, min(config.most_overlap, _SAME_OBJECT)
                        if len(seen) > 1 else config.most_overlap, config.most_boxes)
    found, counts = on_rgb(joined.boxes, joined.labels, joined.scores,
                           rgb_pixels((pair.width, pair.height)))
    return Look(Detections(pair.stamp_ns, found), counts, len(images))


def _chosen(seen: Seen, config: DetectorConfig) -> Seen:
    """Return the boxes of one image that are sure enough, of wanted classes and of one each."""
    if config.wanted:
        rows = [row for row, label in enumerate(seen.labels) if label.lower() in config.wanted]
        seen = Seen(seen.boxes[rows], tuple(seen.labels[row] for row in rows), seen.scores[rows])
    return suppressed(seen, config.min_score, config.most_overlap, config.most_boxes)


def _joined(seen: list[Seen]) -> Seen:
    return Seen(np.concatenate([one.boxes for one in seen]),
                tuple(label for one in seen for label in one.labels),
                np.concatenate([one.scores for one in seen]))
