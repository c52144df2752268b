"""What is said of the thermal camera, for every way in which it can fail."""

import pytest

from rtrack_ros.frames import ImageState
from rtrack_ros.intake.pairing import StampPairer
from rtrack_ros.intake.thermal_state import ThermalMonitor, ThermalState, ThermalStatus

MS = 1_000_000
FRAME_MS = 33


class Cameras:
    """Two cameras in real time, a pairer and a monitor, polled every 5 ms."""

    def __init__(self) -> None:
        self.pairer: StampPairer[int, int] = StampPairer(
            slop_ns=20 * MS, thermal_timeout_ns=500 * MS, max_wait_ns=30 * MS)
        self.monitor = ThermalMonitor(self.pairer)
        self.now_ms = 0
        self.missing, self.every = ImageState.MISSING, None

    @property
    def state(self) -> ThermalState:
        return self.status.state

    @property
    def status(self) -> ThermalStatus:
        return self.monitor.status(self.now_ms * MS)

    def run(self, for_ms: int, rgb: bool = True, thermal_every_ms: int = FRAME_MS,
            thermal_phase_ms: int = 0, thermal_stamp_ms: int = 0) -> list[ThermalState]:
        """Let time pass; return the states on the way, repeated ones once."""
        states = [self.state]
        for _ in range(for_ms):
            self.now_ms += 1
            if thermal_every_ms and self.now_ms % thermal_every_ms == thermal_phase_ms:
                self.pairer.add_thermal((self.now_ms + thermal_stamp_ms) * MS, self.now_ms)
                self._poll()
            if rgb and self.now_ms % FRAME_MS == 0:
                self.pairer.add_rgb(self.now_ms * MS, self.now_ms)
                self._poll()
            if self.now_ms % 5 == 0:
                self._poll()
            states += [self.state] * (self.state is not states[-1])
        return states

    def _poll(self) -> None:
        items = self.pairer.poll(self.now_ms * MS)
        self.monitor.observe([self.every or (self.missing if item.thermal is None
                                             else ImageState.FRESH) for item in items],
                             self.now_ms * MS)


@pytest.fixture
def cameras() -> Cameras:
    return Cameras()


def test_all_well(cameras: Cameras) -> None:
    assert cameras.run(3000) == [ThermalState.STARTING, ThermalState.PAIRED]
    assert cameras.status.healthy and not cameras.status.lost
    assert cameras.status.sentence == 'thermal images arrive and pair up'


def test_a_camera_that_never_came_is_absent_after_the_timeout(cameras: Cameras) -> None:
    cameras.run(450, thermal_every_ms=0)
    assert cameras.state is ThermalState.STARTING and not cameras.status.healthy
    cameras.run(150, thermal_every_ms=0)
    assert cameras.state is ThermalState.ABSENT
    assert not cameras.status.healthy and cameras.status.lost
    assert cameras.status.sentence.startswith(
        'no readable thermal image has come: tracking goes on with RGB alone; ')
    assert 'remapping of thermal/image_raw' in cameras.status.remedy


def test_a_camera_that_came_and_fell_silent_is_silent(cameras: Cameras) -> None:
    cameras.run(1000)
    assert cameras.run(2000, thermal_every_ms=0) == [ThermalState.PAIRED, ThermalState.SILENT]
    assert not cameras.status.healthy and 'has fallen silent' in cameras.status.sentence
    assert 'check the camera' in cameras.status.remedy


def test_a_camera_that_delivers_and_never_pairs_is_unpaired(cameras: Cameras) -> None:
    # Late by a quarter of a second: every stamp is far from that of any RGB image at hand.
    states = cameras.run(3000, thermal_stamp_ms=-250)
    assert states == [ThermalState.STARTING, ThermalState.UNPAIRED]
    assert not cameras.status.healthy
    assert 'do not pair with RGB' in cameras.status.sentence
    assert 'arrive 250 ms after the RGB images of the same stamps' in cameras.status.remedy
    assert 'raise sync.max_wait_ms to 260' in cameras.status.remedy
    assert 'set sync.thermal_offset_ms to -250' in cameras.status.remedy


def test_pairs_that_stop_while_the_camera_goes_on_make_it_unpaired(cameras: Cameras) -> None:
    cameras.run(1000)
    assert cameras.run(1500, thermal_stamp_ms=-250) == [
        ThermalState.PAIRED, ThermalState.UNPAIRED]
    assert cameras.run(200) == [ThermalState.UNPAIRED, ThermalState.PAIRED]


def test_a_slow_camera_that_serves_every_third_image_is_well(cameras: Cameras) -> None:
    assert cameras.run(3000, thermal_every_ms=3 * FRAME_MS) == [
        ThermalState.STARTING, ThermalState.PAIRED]


def test_a_camera_that_comes_back_is_not_called_unpaired_on_the_way(cameras: Cameras) -> None:
    cameras.run(1000)
    cameras.run(5000, thermal_every_ms=0)
    assert cameras.run(1000, thermal_phase_ms=20) == [
        ThermalState.SILENT, ThermalState.STARTING, ThermalState.PAIRED]


def test_a_silent_rgb_camera_is_not_held_against_the_thermal_one(cameras: Cameras) -> None:
    assert cameras.run(1000, rgb=False) == [ThermalState.STARTING]
    cameras.run(1000)
    assert cameras.run(3000, rgb=False) == [ThermalState.PAIRED]


def test_stamps_that_fall_between_those_of_rgb_are_a_matter_of_slop() -> None:
    cameras = Cameras()
    cameras.pairer.slop_ns = 5 * MS
    assert cameras.run(3000, thermal_phase_ms=16)[-1] is ThermalState.UNPAIRED
    assert 'sync.slop_ms is 5: trigger the cameras together' in cameras.status.remedy


def test_a_late_camera_whose_images_are_shown_with_their_age_is_late() -> None:
    cameras = Cameras()
    cameras.missing = ImageState.HELD
    assert cameras.run(3000, thermal_stamp_ms=-100) == [
        ThermalState.STARTING, ThermalState.PAIRED, ThermalState.LATE]
    assert not cameras.status.healthy and not cameras.status.lost
    assert 'raise sync.max_wait_ms to 110' in cameras.status.sentence
    assert 'RGB alone' not in cameras.status.sentence


def test_stamps_ahead_of_their_arrival_are_said_although_pairs_are_made(cameras: Cameras) -> None:
    states = cameras.run(3000, thermal_stamp_ms=80)
    assert states[-1] is ThermalState.AHEAD and not cameras.status.healthy
    assert 'set sync.thermal_offset_ms to 80, or to auto' in cameras.status.sentence
    cameras.monitor.trusted = True
    assert cameras.state is ThermalState.PAIRED, 'the user said how the stamps differ'


@pytest.mark.parametrize('offset_s', [3600, -3600])
def test_clocks_of_another_hour_are_named_as_that(cameras: Cameras, offset_s: int) -> None:
    cameras.run(3000, thermal_stamp_ms=1000 * offset_s)
    assert not cameras.status.healthy
    assert f'{offset_s:.1f} s off' in cameras.status.remedy
    assert 'synchronise the clocks' in cameras.status.remedy


@pytest.mark.parametrize(('image', 'state'), [(ImageState.FROZEN, ThermalState.FROZEN),
                                              (ImageState.DEAD, ThermalState.DEAD)])
def test_an_image_that_proves_nothing_is_named_after_the_timeout(
        cameras: Cameras, image: ImageState, state: ThermalState) -> None:
    cameras.run(1000)
    cameras.every = image
    assert cameras.run(400) == [ThermalState.PAIRED]
    assert cameras.run(400) == [ThermalState.PAIRED, state]
    assert cameras.status.lost and 'check the camera' in cameras.status.sentence
    cameras.every = None
    assert cameras.run(100) == [state, ThermalState.PAIRED]


@pytest.mark.parametrize('state', ThermalState)
def test_every_loss_has_a_remedy_and_fits_into_the_picture(state: ThermalState) -> None:
    well = state in (ThermalState.STARTING, ThermalState.PAIRED)
    shown = well or state in (ThermalState.LATE, ThermalState.AHEAD)
    status = ThermalStatus(state, '' if well else 'do this')
    assert status.lost is not shown and ('do this' in status.sentence) is not well
    assert ('RGB alone' in status.sentence) is not shown
    assert len(status.caption) < 50
    assert (status.caption == state.value) is not shown
