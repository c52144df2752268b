"""Frame pairs from video files, image folders and bags.

Frames of a video carry the time of its container. Images of a folder carry the number or the time
in their names; ``--fps`` makes a number a time.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from rtrack_ros.data.image_folder import ImageFolder, align
from rtrack_ros.data.pairs import DataError, Losses, Tally
from rtrack_ros.data.reading import Arrival, RecordedPairs
from rtrack_ros.data.stored_images import StoredImage
from rtrack_ros.data.video_file import VideoFile
from rtrack_ros.intake.config import IntakeConfig
from rtrack_ros.intake.encodings import ConversionError
from rtrack_ros.intake.receiving import Intake

ImageStream = ImageFolder | VideoFile

_RECORDED = ('.mcap', '.db3')


class VideoPairs(RecordedPairs):
    """RGB frames with the thermal frames that belong to them.

    Args:
        rgb: The RGB stream; decides number and rate of the pairs.
        thermal: The thermal stream, None for an RGB-only recording.
        config: Settings of the intake; None takes the defaults.
    """

    def __init__(self, rgb: ImageStream, thermal: ImageStream | None,
                 config: IntakeConfig | None = None) -> None:
        super().__init__(config)
        self._rgb, self._thermal = rgb, thermal
        self._notes: list[str] = []
        if isinstance(rgb, ImageFolder) and isinstance(thermal, ImageFolder):
            exact, notes = align(rgb, thermal)
            self._notes += notes
            if exact:
                # A number says which images belong together, and that no other one does.
                self._config = replace(self._config, sync=replace(
                    self._config.sync, thermal_hold_ms=0.0))
        else:
            for stream in (rgb, thermal):
                if isinstance(stream, ImageFolder):
                    stream.begin_at_zero()

    @property
    def fps(self) -> float:
        """RGB frames per second."""
        return self._rgb.fps

    def __len__(self) -> int:
        return len(self._rgb)

    @property
    def _has_thermal(self) -> bool:
        return self._thermal is not None

    def _arrivals(self, tally: Tally) -> Iterator[Arrival]:
        tally.notes += self._notes
        streams = [_arriving(self._rgb, tally.rgb, _give_rgb)]
        if self._thermal is not None:
            # Before RGB images of the same time: these then need not wait.
            streams.insert(0, _arriving(self._thermal, tally.thermal, _give_thermal))
        # Images arrive at their times; a merge of two keeps the order of the first at a tie.
        return heapq.merge(*streams, key=lambda arrival: arrival.time_ns)


def _arriving(stream: ImageStream, losses: Losses,
              give: Callable[..., None]) -> Iterator[Arrival]:
    for image in stream.read(losses):
        yield Arrival(image.stamp_ns, partial(give, image=image))


def _give_rgb(intake: Intake, image: StoredImage) -> None:
    try:
        intake.take_rgb(image.stamp_ns, image.rgb(), number=image.number)
    except ConversionError as error:
        intake.refuse_rgb(error)


def _give_thermal(intake: Intake, image: StoredImage) -> None:
    try:
        intake.take_thermal(image.stamp_ns, image.thermal())
    except ConversionError as error:
        intake.refuse_thermal(error)


def is_bag(path: Path | str) -> bool:
    """Whether ``path`` is a rosbag2 recording, closed or not: a folder of one, or one file."""
    source = Path(path)
    return source.suffix in _RECORDED or (source / 'metadata.yaml').is_file() or (
        source.is_dir() and any(file.suffix in _RECORDED for file in source.iterdir()))


def open_stream(path: Path | str, fps: float = 30.0) -> ImageStream:
    """Return the frames of a video file or an image folder.

    Args:
        path: A video file or a folder of images.
        fps: Images per second of a folder whose names say no time.

    Raises:
        DataError: there is nothing at ``path`` or it cannot be read.
    """
    source = Path(path)
    if source.is_dir():
        return ImageFolder(source, fps)
    if not source.exists():
        raise DataError(f'there is nothing at {source}; give a video file, a folder of images or '
                        'a bag')
    return VideoFile(source)


def open_pairs(rgb: Path | str, thermal: Path | str | None = None, fps: float = 30.0,
               config: IntakeConfig | None = None, rgb_topic: str | None = None,
               thermal_topic: str | None = None) -> RecordedPairs:
    """Return the frame pairs of two recordings, or of one bag that holds both.

    Args:
        rgb: Video file, image folder, or bag (a folder with ``metadata.yaml`` or a ``.mcap``).
        thermal: Video file or image folder; None for RGB alone, and for a bag.
        fps: Images per second of folders whose names say no time.
        config: Settings of the intake; None takes the defaults.
        rgb_topic: Topic of the colour camera in a bag; None finds it.
        thermal_topic: Topic of the thermal camera in a bag; None finds it.

    Raises:
        DataError: an input is missing or unreadable.
    """
    if is_bag(rgb):
        from rtrack_ros.data.bag import read_pairs  # rosbags is needed for bags only

        if thermal is not None:
            raise DataError(f'{rgb} is a bag, which holds both cameras; leave the thermal '
                            'recording out, or choose topics')
        return read_pairs(rgb, rgb_topic, thermal_topic, config)
    if rgb_topic or thermal_topic:
        raise DataError(f'{rgb} is no bag: only bags have topics')
    return VideoPairs(open_stream(rgb, fps),
                      None if thermal is None else open_stream(thermal, fps), config)
