"""Arrays and tracks to ROS messages, without cv_bridge, which fails under NumPy 2.

The other way, from messages to arrays, is that of ``rtrack_ros.intake.messages``.
"""

import array
import math
from collections.abc import Iterable, Mapping

from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from rtrack_ros.intake.encodings import (
    LAYOUTS,
    Array,
    ConversionError,
)
from rtrack_ros.tracking.track import Track


def image_message(pixels: Array, encoding: str, header: Header) -> Image:
    """Return an image message of an array.

    Args:
        pixels: Shape (H, W) or (H, W, C) of the encoding's type.
        encoding: One of ``LAYOUTS``.
        header: Taken over unchanged.

    Raises:
        ConversionError: the array does not have the encoding's shape or type.
    """
    layout = LAYOUTS.get(encoding)
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if (layout is None or pixels.ndim not in (2, 3) or channels != layout.channels
            or pixels.dtype.str[1:] != layout.kind):
        raise ConversionError(f'an array of {pixels.dtype} {pixels.shape} is not {encoding}')
    message = Image(header=header, encoding=encoding, height=pixels.shape[0],
                    width=pixels.shape[1], is_bigendian=int(pixels.dtype.str[0] == '>'),
                    step=pixels.shape[1] * channels * pixels.dtype.itemsize)
    # The only form that is quick on every distribution: bytes and ndarrays are checked or copied
    # element by element, which takes 130 ms for a 720p picture.
    message.data = array.array('B', pixels.tobytes())
    return message


def detections_message(tracks: Iterable[Track], header: Header,
                       sentences: Mapping[str, str]) -> Detection2DArray:
    """Return the tracks as detections under the RGB image's own header.

    A detection has one hypothesis for each sentence that the object fulfils, the surest first.

    Args:
        tracks: What to publish, boxes in pixels of the original RGB image.
        header: Header of the RGB image, for the array and for each detection.
        sentences: Sentence of each query by its id; it becomes the ``class_id``.
    """
    return _array(header, [
        (track, [(sentences.get(belief.query_id, track.label), belief.score)
                 for belief in track.meanings]) for track in tracks])


def objects_message(tracks: Iterable[Track], header: Header,
                    sentences: Mapping[str, str]) -> Detection2DArray:
    """Return all objects with all that is believed of them, for debugging.

    The first hypothesis is the object's own word with its existence. Then come the sentences whose
    answers listed it, whether it is published for them or not.

    Args:
        tracks: All tracks, boxes in pixels of the original RGB image.
        header: Header of the RGB image.
        sentences: Sentence of each query by its id.
    """
    return _array(header, [
        (track, [(track.label, track.existence),
                 *((sentences.get(belief.query_id, belief.query_id), belief.score)
                   for belief in track.beliefs)]) for track in tracks])


def _array(header: Header, tracks: Iterable[tuple[Track, list[tuple[str, float]]]]
           ) -> Detection2DArray:
    message = Detection2DArray(header=header)
    message.detections = [_detection(track, header, hypotheses) for track, hypotheses in tracks
                          if all(map(math.isfinite, track.box))]
    return message


def _detection(track: Track, header: Header, hypotheses: Iterable[tuple[str, float]]
               ) -> Detection2D:
    left, top, right, bottom = track.box
    detection = Detection2D(header=header, id=str(track.id))
    detection.bbox.center.position.x = float(left + right) / 2.0
    detection.bbox.center.position.y = float(top + bottom) / 2.0
    detection.bbox.size_x = float(right - left)
    detection.bbox.size_y = float(bottom - top)
    detection.results = [_hypothesis(*item) for item in hypotheses]
    return detection


def _hypothesis(class_id: str, score: float) -> ObjectHypothesisWithPose:
    result = ObjectHypothesisWithPose()
    result.hypothesis.class_id = class_id
    result.hypothesis.score = min(max(float(score), 0.0), 1.0)
    result.pose.pose.orientation.w = 1.0
    return result
