"""From image messages to frame pairs: read, paired by stamp, thermal on the RGB grid."""

import time
from typing import Any, NamedTuple

from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.intake.encodings import ConversionError
from rtrack_ros.intake.pairing import AddOutcome, PairedItem, StampPairer
from rtrack_ros.intake.thermal import ThermalNormaliser, register_thermal
from rtrack_ros.nodes.conversion import rgb_from_message, thermal_from_message
from rtrack_ros.nodes.diagnostics import RateMeter
from rtrack_ros.nodes.throttled_log import ThrottledLog
from rtrack_ros.parameters.values import homography

_MILLISECOND = 1e6


class _RgbImage(NamedTuple):
    header: Header
    pixels: Image8
    received_ns: int


class ReceivedPair(NamedTuple):
    """A frame pair with what its answer needs.

    Attributes:
        pair: The value that the tracker works on.
        header: The RGB message's own header.
        received_ns: When the RGB message was received, monotonic clock.
        after_reset: Stamps jumped back or the picture changed its size: earlier frames are void.
    """

    pair: FramePair
    header: Header
    received_ns: int
    after_reset: bool


class Intake:
    """Takes messages of both cameras and returns frame pairs, one for every good RGB image.

    Args:
        settings: The node's parameters, read by name.
        log: Where refused images are reported.
    """

    def __init__(self, settings: Any, log: ThrottledLog) -> None:
        self._log = log
        self.rgb_rate = RateMeter()
        self.thermal_rate = RateMeter()
        self.rejected = 0
        self._size: tuple[int, int] | None = None
        self._started_ns = 0
        self.configure(settings)

    def configure(self, settings: Any) -> None:
        """Take over changed parameters; images that wait for a partner are dropped."""
        fixed = settings['thermal.scaling'] == 'linear'
        self._normalise = ThermalNormaliser(
            limits=(settings['thermal.linear_low'], settings['thermal.linear_high'])
            if fixed else None)
        self._homography = homography(settings['thermal.homography'])
        self._timeout_ns = int(settings['sync.thermal_timeout_ms'] * _MILLISECOND)
        self._pairer: StampPairer[_RgbImage, Any] = StampPairer(
            slop_ns=int(settings['sync.slop_ms'] * _MILLISECOND),
            thermal_timeout_ns=self._timeout_ns,
            max_wait_ns=int(settings['sync.max_wait_ms'] * _MILLISECOND))
        self._slop_ms = settings['sync.slop_ms']

    @property
    def waiting(self) -> bool:
        """Whether an RGB image waits for its thermal partner."""
        return self._pairer.waiting > 0

    @property
    def offset_ms(self) -> float | None:
        """Median thermal stamp minus RGB stamp, None before both cameras sent something."""
        offset_ns = self._pairer.offset_ns
        return None if offset_ns is None else offset_ns / _MILLISECOND

    def thermal_healthy(self) -> bool:
        """Whether readable thermal images keep coming."""
        return self._pairer.thermal_alive(time.monotonic_ns())

    def add_rgb(self, message: Image | CompressedImage) -> None:
        """Take one RGB message; an unreadable one is counted and reported."""
        received_ns = time.monotonic_ns()
        self.rgb_rate.tick(received_ns)
        self._started_ns = self._started_ns or received_ns
        try:
            pixels = rgb_from_message(message)
        except ConversionError as error:
            self._refuse('rgb/image_raw', error)
            return
        outcome = self._pairer.add_rgb(self._stamp_ns(message.header, 'rgb/image_raw'),
                                       _RgbImage(message.header, pixels, received_ns))
        if not outcome.accepted:
            self.rejected += 1
            self._log.warning('late', 'an RGB image came out of order or twice and was dropped; '
                              'does more than one camera publish on rgb/image_raw?')
        elif outcome is AddOutcome.RESET:
            self._log.warning('reset', 'stamps jumped back (a bag started again, a clock was '
                              'set): tracking starts afresh')

    def add_thermal(self, message: Image | CompressedImage) -> None:
        """Take one thermal message; an unreadable one is counted and reported."""
        self.thermal_rate.tick(time.monotonic_ns())
        try:
            image = thermal_from_message(message)
        except ConversionError as error:
            self._refuse('thermal/image_raw', error)
            return
        if image.palette:
            self._log.warning('palette', 'thermal images come in false colours, of which only '
                              'the luminance is used; publish mono16 or mono8')
        self._pairer.add_thermal(self._stamp_ns(message.header, 'thermal/image_raw'),
                                 image.counts)

    def poll(self) -> list[ReceivedPair]:
        """Return the pairs that are ready, in the order of their stamps."""
        return [self._pair(item) for item in self._pairer.poll(time.monotonic_ns())]

    def _pair(self, item: PairedItem[_RgbImage, Any]) -> ReceivedPair:
        header, pixels, received_ns = item.rgb
        height, width = pixels.shape[:2]
        resized = self._size not in (None, (width, height))
        self._size = (width, height)
        thermal = None
        if item.thermal is not None:
            thermal = register_thermal(self._normalise(item.thermal, item.stamp_ns), width,
                                       height, self._homography)
        else:
            self._explain_missing(received_ns)
        pair = FramePair(item.stamp_ns, pixels, thermal, header.frame_id)
        return ReceivedPair(pair, header, received_ns, item.after_reset or resized)

    def _explain_missing(self, received_ns: int) -> None:
        if self.thermal_healthy():
            self._log.warning('unpaired', f'no thermal image within sync.slop_ms='
                              f'{self._slop_ms:g} of an RGB image; median offset '
                              f'{self.offset_ms or 0.0:.1f} ms')
        elif received_ns - self._started_ns > self._timeout_ns:
            self._log.warning('thermal', 'thermal/image_raw is silent: tracking goes on with RGB')

    def _stamp_ns(self, header: Header, topic: str) -> int:
        stamp_ns = int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)
        if stamp_ns:
            return stamp_ns
        # Equal stamps would look like one image sent again and again.
        self._log.warning('unstamped', f'{topic} carries no stamps; the time of arrival is used')
        return time.time_ns()

    def _refuse(self, topic: str, error: ConversionError) -> None:
        self.rejected += 1
        self._log.warning(f'refused {topic}', f'{topic}: image refused: {error}')
