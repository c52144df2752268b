"""What a detector publishes, as boxes that are not judged yet; a message of ROS or of a bag."""

from typing import Any

import numpy as np

from rtrack_ros.boxes import as_boxes
from rtrack_ros.intake.messages import stamp_of
from rtrack_ros.scheduling.detection_feed import ReceivedBoxes


def received_boxes(message: Any, offset_ns: int = 0) -> ReceivedBoxes:
    """Return the boxes of a message.

    Of every detection the first result counts. One without a result has no score, and is dropped
    and counted later, as everything that is wrong with single boxes is.

    Args:
        message: A ``vision_msgs/Detection2DArray``. Its stamp is that of the image that the
            detector looked at.
        offset_ns: What the clock of that image is ahead of the RGB stamps.

    Raises:
        ValueError: it has no stamp.
    """
    stamp_ns = stamp_of(message)
    if not stamp_ns:
        raise ValueError('they have no stamp; let the detector copy the header of the image that '
                         'it looked at')
    words = [_word(item) for item in message.detections]
    return ReceivedBoxes(stamp_ns - offset_ns, as_boxes([_box(item) for item in
                                                         message.detections]),
                         tuple(label for label, _ in words),
                         np.array([score for _, score in words], dtype=np.float64))


def _box(detection: Any) -> tuple[float, float, float, float]:
    box, centre = detection.bbox, detection.bbox.center.position
    return (centre.x - box.size_x / 2, centre.y - box.size_y / 2,
            centre.x + box.size_x / 2, centre.y + box.size_y / 2)


def _word(detection: Any) -> tuple[str, float]:
    if not detection.results:
        return '', float('nan')
    said = detection.results[0].hypothesis
    return said.class_id, said.score
