"""Detections of a file or a bag beside the model: ``rtrack track --detections``."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import image_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rtrack_ros.commands.track.bag_detections import BagDetections
    from rtrack_ros.data.detection_file import DetectionFile
    from rtrack_ros.detections import PixelMap, Size
    from rtrack_ros.frames import FramePair
    from rtrack_ros.intake.receiving import ReceivedPair
    from rtrack_ros.pipeline import TrackingPipeline
    from rtrack_ros.scheduling.detection_feed import FeedPixels
    from rtrack_ros.tracking.track import Track


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of detections."""
    group = parser.add_argument_group(
        'detections', 'What a detector saw in the recording, whatever detector: objects are '
                      'followed as it says, and the model says which of them are meant.')
    group.add_argument('--detections', default=None, metavar='FILE|BAG[:TOPIC]',
                       help='MOTChallenge rows frame,-1,left,top,width,height,score; frame 1 is '
                            'the first RGB image. Or a bag with vision_msgs/Detection2DArray: '
                            'its messages come when they were recorded, late and out of order as '
                            'they were, with the stamps of the images')
    group.add_argument('--detections-spectrum', choices=('rgb', 'thermal'), default='rgb',
                       help='the image whose pixels the boxes are in (default: %(default)s)')
    group.add_argument('--detections-size', type=image_size, default=None, metavar='WxH',
                       help='size of the image that the detector saw; a file in thermal pixels '
                            'needs it (default: that of the image)')


@dataclass
class GivenDetections:
    """The detections of a recording, and the way of their boxes onto the RGB image.

    Attributes:
        file: The detections.
        seen_size: Size of the image that the detector saw; None for the RGB image.
        thermal: Whether that is the thermal image.
        homography: 3x3, thermal pixels to RGB pixels; None for equal fields of view.
    """

    file: 'DetectionFile'
    seen_size: 'Size | None'
    thermal: bool
    homography: 'NDArray[np.float64] | None'

    def offer(self, pipeline: 'TrackingPipeline', received: 'ReceivedPair') -> None:
        """Do nothing: what was seen on a pair is given after the pair."""

    def hand_over(self, pipeline: 'TrackingPipeline', received: 'ReceivedPair'
                  ) -> 'list[Track] | None':
        """Give the pipeline what was seen on a pair, and return the tracks with it."""
        pair = received.pair
        pipeline.detect(self.file.on(received.number, pair.stamp_ns, self._map(pair)))
        return pipeline.tracks()

    @property
    def summary(self) -> str:
        """What became of the boxes, in a line."""
        counts = self.file.counts
        dropped = f', {counts.dropped} were no boxes on the image' if counts.dropped else ''
        cut = f', {counts.clipped} reached beyond it' if counts.clipped else ''
        return f'{counts.kept} detections used{cut}{dropped}'

    def _map(self, pair: 'FramePair') -> 'PixelMap':
        from rtrack_ros.detections import rgb_pixels, thermal_pixels

        size = pair.width, pair.height
        if self.thermal and self.seen_size is not None:
            return thermal_pixels(size, self.seen_size, self.homography)
        return rgb_pixels(size, self.seen_size)


def source(args: argparse.Namespace) -> tuple[Path, str | None] | None:
    """Return the file or bag of the detections and the topic that is asked for."""
    from rtrack_ros.data.recording import split_topic

    return None if args.detections is None else split_topic(args.detections)


def feed_pixels(args: argparse.Namespace, values: dict[str, Any] | None) -> 'FeedPixels':
    """Return which image the detector of a bag looked at."""
    from rtrack_ros.intake.config import homography_matrix
    from rtrack_ros.scheduling.detection_feed import FeedPixels

    return FeedPixels(args.detections_spectrum, args.detections_size,
                      None if values is None else homography_matrix(values['thermal.homography']))


def given(args: argparse.Namespace, values: dict[str, Any] | None
          ) -> 'GivenDetections | BagDetections | None':
    """Return the detections of the options, None without any.

    Raises:
        CommandError: the size of the thermal image is not given, or the bag has no such topic.
        DataError: the file cannot be read.
    """
    from rtrack_ros.commands.track.bag_detections import bag_detections, is_bag
    from rtrack_ros.data.detection_file import read_detections
    from rtrack_ros.intake.config import homography_matrix
    from rtrack_ros.parameters.values import intake_config

    named, thermal = source(args), args.detections_spectrum == 'thermal'
    if named is None:
        return None
    if named[1] is not None or is_bag(named[0]):
        offset_ms = intake_config(values).sync.offset_ms if thermal and values else 0.0
        return bag_detections(*named, round(offset_ms * 1e6))
    if thermal and args.detections_size is None:
        raise CommandError('--detections-spectrum thermal needs --detections-size, the size of '
                           'the thermal image in pixels, such as 640x512')
    homography = None if values is None else homography_matrix(values['thermal.homography'])
    return GivenDetections(read_detections(named[0]), args.detections_size, thermal,
                           homography)
