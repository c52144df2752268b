"""Whether the thermal camera delivers and pairs up: decided here once, worded here once.

The log, ``~/status``, ``/diagnostics`` and the debug image of the node all say what this module
says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rtrack_ros.intake.pairing import PairedItem, StampPairer


class ThermalState(Enum):
    """How the thermal camera does; the value says it to people."""

    STARTING = 'waiting for thermal images'
    """Too little has come to tell."""
    PAIRED = 'thermal images arrive and pair up'
    UNPAIRED = 'thermal images arrive and do not pair with RGB'
    """No RGB image found a partner for the length of the timeout."""
    SILENT = 'the thermal camera has fallen silent'
    """Images came, and none came for the length of the timeout."""
    ABSENT = 'no readable thermal image has come'
    """RGB images left for the length of the timeout, and no thermal image came before."""


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
        return self.state not in (ThermalState.PAIRED, ThermalState.STARTING)

    @property
    def sentence(self) -> str:
        """What is to be said to people: state, consequence and remedy."""
        if not self.lost:
            return self.state.value
        return f'{self.state.value}: tracking goes on with RGB alone; {self.remedy}'

    @property
    def caption(self) -> str:
        """What to write where the thermal image of one pair is missing."""
        return 'no thermal image for this RGB image' if self.healthy else self.state.value


class ThermalMonitor:
    """Watches what leaves a pairer. Calls must come from the thread that calls the pairer.

    A state changes only after the pairer's ``thermal_timeout_ns``: one RGB image without a
    partner is normal beside a slower thermal camera.

    Args:
        pairer: Pairer of the two cameras, asked about its thermal stream.
    """

    def __init__(self, pairer: StampPairer[Any, Any]) -> None:
        self._pairer = pairer
        self._delivers = False
        self._paired = False
        self._unpaired_since_ns: int | None = None
        self._unpaired_ns = 0

    def observe(self, items: Iterable[PairedItem[Any, Any]], now_ns: int) -> None:
        """Take note of what ``poll`` returned.

        Args:
            items: What left the pairer.
            now_ns: The clock that was given to ``poll``.
        """
        delivers = self._pairer.thermal_alive(now_ns)
        if delivers is not self._delivers:
            # A camera that begins to deliver, for the first time or again, has the whole timeout
            # to pair up.
            self._delivers, self._paired = delivers, False
            self._unpaired_since_ns, self._unpaired_ns = None, 0
        for item in items:
            if item.thermal is not None:
                self._paired = True
                self._unpaired_since_ns, self._unpaired_ns = None, 0
                continue
            if self._unpaired_since_ns is None:
                self._unpaired_since_ns = now_ns
            # Up to the newest RGB image, not up to now: a silent RGB camera is not a fault of the
            # thermal one.
            self._unpaired_ns = now_ns - self._unpaired_since_ns

    def status(self, now_ns: int) -> ThermalStatus:
        """Return how the thermal camera does, by the clock given to ``observe``."""
        state = self._state(now_ns)
        return ThermalStatus(state, self._remedy(state))

    def _state(self, now_ns: int) -> ThermalState:
        timed_out = self._unpaired_ns >= self._pairer.thermal_timeout_ns
        if not self._pairer.thermal_alive(now_ns):
            if self._pairer.thermal_came:
                return ThermalState.SILENT
            return ThermalState.ABSENT if timed_out else ThermalState.STARTING
        if timed_out:
            return ThermalState.UNPAIRED
        return ThermalState.PAIRED if self._paired else ThermalState.STARTING

    def _remedy(self, state: ThermalState) -> str:
        if state is ThermalState.UNPAIRED:
            offset_ns = self._pairer.offset_ns or 0
            return (f'the median of thermal minus RGB stamp is {offset_ns * 1e-6:.1f} ms, '
                    f'sync.slop_ms is {self._pairer.slop_ns * 1e-6:g}: synchronise the cameras, '
                    'or raise sync.slop_ms')
        if state is ThermalState.SILENT:
            return 'check the camera and its driver, and the log for refused images'
        if state is ThermalState.ABSENT:
            return ('check the camera, the remapping of thermal/image_raw, QoS, and the log for '
                    'refused images')
        return ''
