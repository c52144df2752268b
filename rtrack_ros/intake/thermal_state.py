"""Whether the thermal camera delivers and pairs up: decided here once, worded here once.

The log, ``~/status``, ``/diagnostics`` and the debug image of the node all say what this module
says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rtrack_ros.frames import ImageState
from rtrack_ros.intake.pairing import StampPairer

# A thermal image that arrives so long before the RGB image of its stamp has a wrong stamp, or the
# RGB camera delivers late.
_AHEAD_NS = 40_000_000
OTHER_CLOCK_NS = 2_000_000_000
"""Two cameras with one clock do not deliver so long after each other."""


class ThermalState(Enum):
    """How the thermal camera does; the value says it to people."""

    STARTING = 'waiting for thermal images'
    """Too little has come to tell."""
    PAIRED = 'thermal images arrive and pair up'
    LATE = 'thermal images come late, and are shown with their age'
    """Every image shown is older than its pair, for the length of the timeout."""
    AHEAD = 'thermal images arrive before RGB images of the same stamp'
    """They pair up by their stamps, which may be wrong."""
    FROZEN = 'the thermal camera repeats one image'
    """For longer than an image is held: its shutter, its driver, or a cable."""
    DEAD = 'thermal images show nothing'
    """Every pixel is the same, saturated or without a value."""
    UNPAIRED = 'thermal images arrive and do not pair with RGB'
    """No RGB image found a partner for the length of the timeout."""
    SILENT = 'the thermal camera has fallen silent'
    """Images came, and none came for the length of the timeout."""
    ABSENT = 'no readable thermal image has come'
    """RGB images left for the length of the timeout, and no thermal image came before."""


_LOSSES = (ThermalState.UNPAIRED, ThermalState.SILENT, ThermalState.ABSENT, ThermalState.FROZEN,
           ThermalState.DEAD)


@dataclass(frozen=True)
class ThermalStatus:
    """A state with what a person can do about it.

    Attributes:
        state: The state.
        remedy: What to check; '' where there is nothing to do.
    """

    state: ThermalState
    remedy: str = ''

    @property
    def healthy(self) -> bool:
        """Whether thermal images arrive, can be decoded and pair up."""
        return self.state is ThermalState.PAIRED

    @property
    def lost(self) -> bool:
        """Whether it is known that tracking has to do without thermal."""
        return self.state in _LOSSES

    @property
    def sentence(self) -> str:
        """What is to be said to people: state, consequence and remedy."""
        if not self.lost:
            return f'{self.state.value}; {self.remedy}' if self.remedy else self.state.value
        return f'{self.state.value}: tracking goes on with RGB alone; {self.remedy}'

    @property
    def caption(self) -> str:
        """What to write where the thermal image of one pair is missing."""
        return self.state.value if self.lost else 'no thermal image for this RGB image'


class ThermalMonitor:
    """Watches the pairs that are made. Calls must come from the thread that calls the pairer.

    A state changes only after the pairer's ``thermal_timeout_ns``: one RGB image without a
    partner is normal beside a slower thermal camera.

    Args:
        pairer: Pairer of the two cameras, asked about its thermal stream.
        trusted: Whether it is settled how the stamps of the two cameras differ.
    """

    def __init__(self, pairer: StampPairer[Any, Any], trusted: bool = False) -> None:
        self._pairer = pairer
        self.trusted = trusted
        self._delivers = False
        self._begin()

    def _begin(self) -> None:
        self._paired, self._newest = False, ImageState.MISSING
        # Since when no image was shown, and since when none of its own instant.
        self._unpaired_since_ns: int | None = None
        self._stale_since_ns: int | None = None
        self._unpaired_ns = self._stale_ns = 0

    def observe(self, states: Iterable[ImageState], now_ns: int) -> None:
        """Take note of what the thermal images of new pairs are evidence of.

        Args:
            states: One for each pair that was made.
            now_ns: The clock that was given to ``poll``.
        """
        delivers = self._pairer.thermal_alive(now_ns)
        if delivers is not self._delivers:
            # A camera that begins to deliver, for the first time or again, has the whole timeout
            # to pair up.
            self._delivers = delivers
            self._begin()
        for state in states:
            self._note(state, now_ns)

    def _note(self, state: ImageState, now_ns: int) -> None:
        # Up to the newest RGB image, not up to now: a silent RGB camera is not a fault of the
        # thermal one.
        self._newest = state
        if state is ImageState.FRESH:
            self._paired, self._stale_since_ns, self._stale_ns = True, None, 0
        elif self._stale_since_ns is None:
            self._stale_since_ns = now_ns
        else:
            self._stale_ns = now_ns - self._stale_since_ns
        if state in (ImageState.FRESH, ImageState.HELD):
            self._paired, self._unpaired_since_ns, self._unpaired_ns = True, None, 0
        elif self._unpaired_since_ns is None:
            self._unpaired_since_ns = now_ns
        else:
            self._unpaired_ns = now_ns - self._unpaired_since_ns

    def status(self, now_ns: int) -> ThermalStatus:
        """Return how the thermal camera does, by the clock given to ``observe``."""
        state = self._state(now_ns)
        return ThermalStatus(state, self._remedy(state))

    def _state(self, now_ns: int) -> ThermalState:
        timeout_ns = self._pairer.thermal_timeout_ns
        if not self._pairer.thermal_alive(now_ns):
            if self._pairer.thermal_came:
                return ThermalState.SILENT
            return (ThermalState.ABSENT if self._unpaired_ns >= timeout_ns
                    else ThermalState.STARTING)
        if self._unpaired_ns >= timeout_ns:
            return {ImageState.FROZEN: ThermalState.FROZEN, ImageState.DEAD: ThermalState.DEAD
                    }.get(self._newest, ThermalState.UNPAIRED)
        if not self._paired:
            return ThermalState.STARTING
        if self._stale_ns >= max(timeout_ns, 3 * (self._pairer.thermal_period_ns or 0)):
            return ThermalState.LATE
        ahead = not self.trusted and (self._pairer.delay_ns or 0) < -_AHEAD_NS
        return ThermalState.AHEAD if ahead else ThermalState.PAIRED

    def _remedy(self, state: ThermalState) -> str:
        if state in (ThermalState.UNPAIRED, ThermalState.LATE, ThermalState.AHEAD):
            return self._about_stamps()
        return _REMEDIES.get(state, '')

    def _about_stamps(self) -> str:
        """Say what arrival and stamps show; a late delivery and lagging stamps look alike."""
        delay_ns = self._pairer.delay_ns or 0
        delay_ms = delay_ns * 1e-6
        if abs(delay_ns) > OTHER_CLOCK_NS:
            return (f'their stamps are {-delay_ns * 1e-9:.1f} s off those of the RGB images: '
                    'synchronise the clocks of the cameras, or set sync.thermal_offset_ms to '
                    'auto')
        if delay_ns > self._pairer.slop_ns:
            return (f'they arrive {delay_ms:.0f} ms after the RGB images of the same stamps: if '
                    f'the camera delivers late, raise sync.max_wait_ms to {delay_ms + 10:.0f}; '
                    f'if its stamps lag, set sync.thermal_offset_ms to {-delay_ms:.0f}, '
                    'or to auto, which measures it in the images')
        if delay_ns < -_AHEAD_NS:
            return (f'they arrive {-delay_ms:.0f} ms before the RGB images of the same stamps: '
                    f'if their stamps are ahead, set sync.thermal_offset_ms to {-delay_ms:.0f}, '
                    'or to auto, which measures it in the images')
        offset_ms = (self._pairer.offset_ns or 0) * 1e-6
        return (f'the median of thermal minus RGB stamp is {offset_ms:.1f} ms, sync.slop_ms is '
                f'{self._pairer.slop_ns * 1e-6:g}: trigger the cameras together, or raise '
                'sync.slop_ms')


_REMEDIES = {
    ThermalState.SILENT: 'check the camera and its driver, and the log for refused images',
    ThermalState.ABSENT: 'check the camera, the remapping of thermal/image_raw, QoS, and the log '
                         'for refused images',
    ThermalState.FROZEN: 'a shutter calibration ends by itself; otherwise check the camera and '
                         'its driver',
    ThermalState.DEAD: 'check the camera, its shutter or lens cover, and its gain'}
