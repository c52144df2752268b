"""Detections of a file beside the model: ``rtrack track --detections``."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import image_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rtrack_ros.data.detection_file import DetectionFile
    from rtrack_ros.detections import PixelMap, Size
    from rtrack_ros.frames import FramePair
    from rtrack_ros.intake.receiving import ReceivedPair
    from rtrack_ros.pipeline import TrackingPipeline
    from rtrack_ros.tracking.track import Track


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of detections."""
    group = parser.add_argument_group(
        'detections', 'What a detector saw in the recording, whatever detector: objects are '
                      'followed as it says, and the model says which of them are meant.')
    group.add_argument('--detections', type=Path, default=None, metavar='FILE',
                       help='MOTChallenge rows frame,-1,left,top,width,height,score; frame 1 is '
                            'the first RGB image')
    group.add_argument('--detections-spectrum', choices=('rgb', 'thermal'), default='rgb',
                       help='the image whose pixels the boxes are in (default: %(default)s)')
    group.add_argument('--detections-size', type=image_size, default=None, metavar='WxH',
                       help='size of the image that the detector saw; needed for thermal '
                            '(default: that of the RGB image)')


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

    def hand_over(self, pipeline: 'TrackingPipeline', received: 'ReceivedPair') -> 'list[Track]':
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


def given(args: argparse.Namespace, values: dict[str, Any] | None) -> GivenDetections | None:
    """Return the detections of the options, None without any.

    Raises:
        CommandError: the size of the thermal image is not given.
        DataError: the file cannot be read.
    """
    from rtrack_ros.data.detection_file import read_detections
    from rtrack_ros.intake.config import homography_matrix

    if args.detections is None:
        return None
    thermal = args.detections_spectrum == 'thermal'
    if thermal and args.detections_size is None:
        raise CommandError('--detections-spectrum thermal needs --detections-size, the size of '
                           'the thermal image in pixels, such as 640x512')
    homography = None if values is None else homography_matrix(values['thermal.homography'])
    return GivenDetections(read_detections(args.detections), args.detections_size, thermal,
                           homography)
