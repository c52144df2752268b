"""From image messages to frame pairs: read, paired by stamp, thermal on the RGB grid.

The node gives messages as they come, the reader of bags as they came, and the readers of videos
and folders give images with the times they have: all get the same pairs.
"""

import time
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.intake.auto_offset import AutoOffset
from rtrack_ros.intake.config import AUTO, IntakeConfig, homography_matrix
from rtrack_ros.intake.encodings import ConversionError, ThermalImage
from rtrack_ros.intake.evidence import EvidenceCounts, EvidenceKeeper, SeenImage
from rtrack_ros.intake.lone_thermal import RGB_SILENT, LoneThermal, header_for
from rtrack_ros.intake.messages import (
    rgb_from_message,
    thermal_from_message,
)
from rtrack_ros.intake.pairing import AddOutcome, PairedItem, StampPairer
from rtrack_ros.intake.rates import RateMeter
from rtrack_ros.intake.stamps import Clock, StampReader
from rtrack_ros.intake.thermal_state import OTHER_CLOCK_NS, ThermalMonitor, ThermalStatus

RGB, THERMAL = 'rgb/image_raw', 'thermal/image_raw'
_MILLISECOND = 1e6
_LOW_BITS = 16
"""A picture of 16 bits that is no brighter than this of 255 holds 12 bits or fewer."""


class Log(Protocol):
    """Takes what is wrong with the input; a kind may come with every frame."""

    def warning(self, kind: str, text: str) -> None:
        """Take a warning."""


class _RgbImage(NamedTuple):
    header: Any
    image: SeenImage
    received_ns: int
    number: int


@dataclass
class IntakeCounts:
    """What became of the images.

    Attributes:
        rgb: RGB images that came, whatever became of them.
        thermal: Thermal images that came.
        rgb_refused: RGB images that could not be read.
        thermal_refused: Thermal images that could not be read.
        rgb_dropped: RGB images that came out of order or twice.
        rgb_superseded: Good RGB images passed over because a newer one was ready.
    """

    rgb: int = 0
    thermal: int = 0
    rgb_refused: int = 0
    thermal_refused: int = 0
    rgb_dropped: int = 0
    rgb_superseded: int = 0


class ReceivedPair(NamedTuple):
    """A frame pair with what its answer needs.

    Attributes:
        pair: The value that the tracker works on.
        header: The RGB message's own header; None for an image that was no message. Of a pair
            without RGB: the last one's, with the stamp of the thermal image.
        received_ns: When the RGB message was received, monotonic clock.
        after_reset: Stamps jumped back or the picture changed its size: earlier frames are void.
        thermal: How the thermal camera does by then.
        number: Which RGB image of the camera it is, from 1; images that were refused count too.
            0 for a pair without RGB.
    """

    pair: FramePair
    header: Any
    received_ns: int
    after_reset: bool
    thermal: ThermalStatus
    number: int = 0


class Intake:
    """Takes messages of both cameras and returns frame pairs, one for every good RGB image.

    It holds no lock: every call comes from one thread, the executor's in the node.

    Args:
        config: Pairing, scaling, registration.
        log: Where refused images and the loss of thermal are reported.
        clock: When messages arrive.
    """

    def __init__(self, config: IntakeConfig, log: Log, clock: Clock = time) -> None:
        self._log, self._clock = log, clock
        self._stamp_rgb = StampReader(RGB, log.warning, clock)
        self._stamp_thermal = StampReader(THERMAL, log.warning, clock)
        self.rgb_rate = RateMeter()
        self.thermal_rate = RateMeter()
        self.superseded_rate = RateMeter()
        self.counts = IntakeCounts()
        self.evidence = EvidenceCounts()
        self._size: tuple[int, int] | None = None
        self._header: Any = None
        self.configure(config)

    def configure(self, config: IntakeConfig) -> None:
        """Take over changed settings; images that wait for a partner are dropped."""
        sync, self._limit_mpx = config.sync, config.limits.image_mpx
        self._evidence = EvidenceKeeper(config, self.evidence)
        self._pairer: StampPairer[_RgbImage, SeenImage] = StampPairer(
            slop_ns=int(sync.slop_ms * _MILLISECOND),
            thermal_timeout_ns=int(sync.thermal_timeout_ms * _MILLISECOND),
            max_wait_ns=int(sync.max_wait_ms * _MILLISECOND))
        self._lone = LoneThermal(int(sync.rgb_timeout_ms * _MILLISECOND))
        self._offset_ns = round(sync.offset_ms * _MILLISECOND)
        self._monitor = ThermalMonitor(self._pairer, trusted=self._offset_ns != 0)
        self._auto = AutoOffset(homography_matrix(config.thermal.homography)
                                ) if sync.thermal_offset_ms == AUTO else None

    @property
    def frames_rejected(self) -> int:
        """Images that could not be read, or came out of order or twice."""
        counts = self.counts
        return counts.rgb_refused + counts.thermal_refused + counts.rgb_dropped

    @property
    def thermal_stamp_offset_ms(self) -> float:
        """What is taken off thermal stamps: what was given, or measured so far."""
        return self._offset_ns / _MILLISECOND

    @property
    def thermal_size(self) -> tuple[int, int] | None:
        """(width, height) of the newest thermal image as it came, None before one."""
        return self._evidence.thermal_size

    @property
    def thermal_is_clock(self) -> bool:
        """Whether RGB is silent, and pairs are made of thermal images alone."""
        return self._lone.is_clock

    @property
    def waiting(self) -> bool:
        """Whether an RGB image waits for its thermal partner."""
        return self._pairer.waiting > 0

    @property
    def thermal_delay_ms(self) -> float | None:
        """By how much later a thermal image arrives than the RGB image of the same stamp."""
        delay_ns = self._pairer.delay_ns
        return None if delay_ns is None else delay_ns / _MILLISECOND

    @property
    def thermal_offset_ms(self) -> float | None:
        """Median thermal stamp minus RGB stamp, None before both cameras sent something."""
        offset_ns = self._pairer.offset_ns
        return None if offset_ns is None else offset_ns / _MILLISECOND

    def expect_thermal(self) -> None:
        """Let the first RGB images wait for the thermal camera, which is known to be there."""
        self._pairer.expect_thermal(self._clock.monotonic_ns())

    def thermal_status(self, now_ns: int) -> ThermalStatus:
        """Return how the thermal camera does, by the monotonic clock."""
        return self._monitor.status(now_ns)

    def add_rgb(self, message: Any) -> None:
        """Take one RGB message; an unreadable one is counted and reported."""
        try:
            pixels = rgb_from_message(message, self._limit_mpx)
        except ConversionError as error:
            self.refuse_rgb(error)
            return
        if getattr(message, 'encoding', '').endswith('16') and pixels.max() <= _LOW_BITS:
            self._log.warning('low bits', f'{RGB}: {message.encoding} uses only the low bits of '
                              '16, and the picture is almost black; let the driver publish rgb8')
        self.take_rgb(self._stamp_rgb(message), pixels, message.header)

    def take_rgb(self, stamp_ns: int, pixels: Image8, header: Any = None,
                 number: int | None = None) -> None:
        """Take one RGB image.

        Args:
            stamp_ns: When it was taken.
            pixels: uint8 (H, W, 3), RGB order.
            header: Handed on with its pair.
            number: Which image of its camera it is, from 1; None counts.
        """
        came, received_ns = self._came_rgb(), self._clock.monotonic_ns()
        if self._lone.rgb_came(received_ns):
            self._log.warning('rgb back', 'RGB images come again, and are the clock')
        image = self._evidence.see_rgb(stamp_ns, pixels)
        if self._auto is not None:
            self._auto.see_rgb(stamp_ns, pixels, image.judgement)
            self._settle_offset(self._auto)
        outcome = self._pairer.add_rgb(
            stamp_ns, _RgbImage(header, image, received_ns, number or came))
        if not outcome.accepted:
            self.counts.rgb_dropped += 1
            self._log.warning('late', 'an RGB image came out of order or twice and was dropped; '
                              'does more than one camera publish on rgb/image_raw?')
        elif outcome is AddOutcome.RESET:
            self._log.warning('reset', 'stamps jumped back (a bag started again, a clock was '
                              'set): tracking starts afresh')

    def add_thermal(self, message: Any) -> None:
        """Take one thermal message; an unreadable one is counted and reported."""
        try:
            image = thermal_from_message(message, self._limit_mpx)
        except ConversionError as error:
            self.refuse_thermal(error)
            return
        self.take_thermal(self._stamp_thermal(message), image, message.header)

    def take_thermal(self, stamp_ns: int, image: ThermalImage, header: Any = None) -> None:
        """Take one thermal image."""
        self._came_thermal()
        if image.palette:
            self._log.warning('palette', 'thermal images come in false colours, of which only '
                              'the luminance is used; publish mono16 or mono8')
        seen = self._evidence.see_thermal(stamp_ns - self._offset_ns, image.counts)
        if self._auto is not None:
            self._auto.see_thermal(stamp_ns, image.counts, seen.judgement)
        stamp_ns -= self._offset_ns
        self._pairer.add_thermal(stamp_ns, seen)
        self._lone.thermal_came(seen, header, self._clock.monotonic_ns())

    def refuse_rgb(self, error: ConversionError) -> None:
        """Count and report an RGB image that cannot be read."""
        self._came_rgb()
        self.counts.rgb_refused += 1
        self._log.warning(f'refused {RGB}', f'{RGB}: image refused: {error}')

    def refuse_thermal(self, error: ConversionError) -> None:
        """Count and report a thermal image that cannot be read."""
        self._came_thermal()
        self.counts.thermal_refused += 1
        self._log.warning(f'refused {THERMAL}', f'{THERMAL}: image refused: {error}')

    def poll(self, newest_only: bool = False) -> list[ReceivedPair]:
        """Return the pairs that are ready, in the order of their stamps.

        Args:
            newest_only: Pass over all but the newest: images come faster than they are tracked.
        """
        now_ns = self._clock.monotonic_ns()
        items, passed_over = self._pairer.poll(now_ns), 0
        if newest_only and len(items) > 1:
            passed_over = len(items) - 1
            items = [self._newest(items, now_ns)]
        made = [(item, replace(self._pair(item), passed_over=passed_over) if passed_over
                 else self._pair(item)) for item in items]
        self._monitor.observe([pair.health.thermal for _, pair in made], now_ns)
        status = self._monitor.status(now_ns)
        received = [self._received(item, pair, status) for item, pair in made]
        return received + self._without_rgb(status)

    def _without_rgb(self, status: ThermalStatus) -> list[ReceivedPair]:
        """Return the pair of the newest thermal image while RGB is silent, if there is one."""
        lone = self._lone.take()
        if lone is None or self._size is None:
            return []
        header = header_for(lone, self._header)
        pair = self._evidence.lone_pair(lone.image, self._size,
                                        '' if header is None else header.frame_id)
        if pair is None or not self._pairer.pass_over(pair.stamp_ns):
            return []
        self._log.warning('rgb silent', RGB_SILENT)
        return [ReceivedPair(pair, header, lone.received_ns, False, status)]

    def _newest(self, items: list[PairedItem[_RgbImage, Any]], now_ns: int
                ) -> PairedItem[_RgbImage, Any]:
        """Return the newest of several pairs; the others are counted."""
        self.counts.rgb_superseded += len(items) - 1
        for _ in items[1:]:
            self.superseded_rate.tick(now_ns)
        return replace(items[-1], after_reset=any(item.after_reset for item in items))

    def _settle_offset(self, auto: AutoOffset) -> None:
        """Use the measured offset of the stamps as soon as it is known."""
        delay_ns = self._pairer.delay_ns or 0
        if not auto.clocks_ns and abs(delay_ns) > OTHER_CLOCK_NS:
            self._offset_ns = -delay_ns
            auto.clocks_differ(-delay_ns)
            self._log.warning('clocks', 'sync.thermal_offset_ms: the clocks of the cameras differ '
                              f'by {-delay_ns * 1e-9:.3f} s by the arrival of their images; this '
                              'is used until it is measured in them')
        if auto.offset_ns is not None:
            self._offset_ns, self._monitor.trusted, self._auto = auto.offset_ns, True, None
            self._log.warning('offset', 'sync.thermal_offset_ms: thermal stamps were measured to '
                              f'be {auto.offset_ns / _MILLISECOND:+.0f} ms off; this is used')
        elif auto.overdue:
            self._log.warning('no offset', 'sync.thermal_offset_ms is auto, and too little moves '
                              'for both cameras to measure it; 0 is used so far')

    def _came_rgb(self) -> int:
        self.counts.rgb += 1
        self.rgb_rate.tick(self._clock.monotonic_ns())
        return self.counts.rgb

    def _came_thermal(self) -> None:
        self.counts.thermal += 1
        self.thermal_rate.tick(self._clock.monotonic_ns())

    def _pair(self, item: PairedItem[_RgbImage, SeenImage]) -> FramePair:
        header, image, *_ = item.rgb
        return self._evidence.pair(image, item.thermal, '' if header is None else header.frame_id)

    def _received(self, item: PairedItem[_RgbImage, SeenImage], pair: FramePair,
                  status: ThermalStatus) -> ReceivedPair:
        header, _, received_ns, number = item.rgb
        if pair.thermal is None and status.lost:
            self._log.warning(status.state.name, status.sentence)
        size = (pair.width, pair.height)
        resized = self._size not in (None, size)
        if resized:
            self._log.warning('size', f'{RGB}: images are {size[0]}x{size[1]} now: tracking '
                              'starts afresh')
        self._size, self._header = size, header
        return ReceivedPair(pair, header, received_ns, item.after_reset or resized, status, number)
