"""What the two images of a pair are evidence of, through the intake that all share."""

from types import SimpleNamespace

import numpy as np
import pytest

from rtrack_ros.frames import FramePair, ImageState
from rtrack_ros.intake.config import IntakeConfig, SyncConfig, ThermalConfig
from rtrack_ros.intake.encodings import ThermalImage
from rtrack_ros.intake.receiving import Intake

FRAME_MS, MS = 33, 1_000_000
FRESH, HELD, FROZEN, DEAD, MISSING = (ImageState.FRESH, ImageState.HELD, ImageState.FROZEN,
                                      ImageState.DEAD, ImageState.MISSING)


class Rig:
    """Two cameras with noise, by a clock of its own; thermal images come just before RGB."""

    def __init__(self, **thermal: object) -> None:
        self.now_ms, self.shift_ms, self.lines = 1000, 0, []
        clock = SimpleNamespace(monotonic_ns=lambda: self.now_ms * MS,
                                time_ns=lambda: self.now_ms * MS)
        log = SimpleNamespace(warning=lambda kind, text: self.lines.append(text))
        self.intake = Intake(IntakeConfig(SyncConfig(), ThermalConfig(**thermal)), log, clock)
        self._rng = np.random.default_rng(0)
        self.rgb, self.raw = self.new_rgb(), self.new_raw()

    def new_rgb(self) -> np.ndarray:
        return self._rng.integers(0, 200, (48, 64, 3)).astype(np.uint8)

    def new_raw(self) -> np.ndarray:
        rows = np.linspace(7000, 7800, 24)[:, None]
        return (rows + self._rng.normal(0, 3, (24, 32))).astype(np.uint16)

    def run(self, frames: int, rgb: str = 'new', thermal: str = 'new',
            every: int = 1) -> list[FramePair]:
        pairs = []
        for index in range(frames):
            self.now_ms += FRAME_MS
            stamp_ns = (self.now_ms + self.shift_ms) * MS
            self.rgb = self.new_rgb() if rgb == 'new' else self.rgb
            self.raw = self.new_raw() if thermal == 'new' and index % every == 0 else self.raw
            raw = np.zeros_like(self.raw) if thermal == 'dead' else self.raw
            if index % every == 0 and thermal != 'none':
                self.intake.take_thermal(stamp_ns, ThermalImage(raw.copy(), False))
            self.intake.take_rgb(stamp_ns, self.rgb.copy())
            for _ in range(FRAME_MS):
                pairs += [received.pair for received in self.intake.poll()]
                self.now_ms += 1
            self.now_ms -= FRAME_MS
        return pairs


def states(pairs: list[FramePair], camera: str = 'thermal') -> list[ImageState]:
    return [getattr(pair.health, camera) for pair in pairs]


def test_two_cameras_in_order_are_fresh() -> None:
    pairs = Rig().run(20)
    assert states(pairs) == states(pairs, 'rgb') == [FRESH] * 20
    assert all(pair.thermal_age_s == 0 and pair.thermal_valid is None for pair in pairs)


def test_a_shutter_is_held_for_a_while_and_then_like_silence() -> None:
    rig = Rig()
    last = rig.run(10)[-1]
    frozen = rig.run(30, thermal='same')
    assert states(frozen) == [HELD] * 7 + [FROZEN] * 23, 'held for 250 ms'
    for pair in frozen[:7]:
        assert pair.thermal_stamp_ns == last.stamp_ns, 'with the stamp of the image it repeats'
        np.testing.assert_array_equal(pair.thermal, last.thermal)
    assert all(pair.thermal is None for pair in frozen[7:])
    assert 'the thermal camera repeats one image' in rig.lines[-1]
    assert states(rig.run(5)) == [FRESH] * 5
    assert rig.intake.evidence.thermal_repeated == 30


def test_dead_images_are_no_evidence_and_spoil_nothing() -> None:
    rig = Rig()
    first = rig.run(1, thermal='dead')
    assert states(first) == [DEAD] and first[0].thermal is None
    good = rig.run(10)
    assert good[0].thermal.std() > 40, 'the first good image has its contrast at once'
    assert states(rig.run(12, thermal='dead')) == [HELD] * 7 + [DEAD] * 5
    again = rig.run(1)
    assert states(again) == [FRESH] and again[0].thermal.std() > 40
    assert rig.intake.evidence.thermal_dead == 13


def test_a_slow_camera_is_shown_between_its_images_with_their_age() -> None:
    pairs = Rig().run(32, every=4)
    assert states(pairs) == [FRESH, HELD, HELD, HELD] * 8
    ages_ms = [round(pair.thermal_age_s * 1e3) for pair in pairs]
    assert ages_ms == [0, 33, 66, 99] * 8


def test_a_driver_that_repeats_a_slow_camera_is_that_slow_camera() -> None:
    rig, pairs = Rig(), []
    for _ in range(6):
        pairs += rig.run(1) + rig.run(2, thermal='same')
    assert states(pairs) == [FRESH, HELD, HELD] * 6
    assert not rig.lines


def test_two_still_pictures_are_a_world_that_stands_still() -> None:
    pairs = Rig().run(20, rgb='same', thermal='same')
    assert states(pairs) == states(pairs, 'rgb') == [FRESH] * 20


def test_one_camera_alone_may_show_a_still_picture() -> None:
    pairs = Rig().run(20, rgb='same', thermal='none')
    assert states(pairs, 'rgb') == [FRESH] * 20 and states(pairs) == [MISSING] * 20


def test_a_frozen_rgb_camera_leaves_the_evidence_to_thermal() -> None:
    rig = Rig()
    rig.run(10)
    pairs = rig.run(20, rgb='same')
    assert states(pairs) == [FRESH] * 20
    assert states(pairs, 'rgb') == [HELD] * 7 + [FROZEN] * 13
    assert pairs[-1].images()[0].max() == 0 < pairs[0].images()[0].max()
    assert states(rig.run(2), 'rgb') == [FRESH] * 2
    assert rig.intake.evidence.rgb_repeated == 20


def test_the_age_of_a_silent_camera_is_bounded() -> None:
    rig = Rig()
    rig.run(10)
    assert states(rig.run(12, thermal='none')) == [HELD] * 7 + [MISSING] * 5
    assert rig.intake.evidence.pairs_held == 7 and rig.intake.evidence.pairs_fresh == 10


def test_after_a_jump_back_of_stamps_nothing_is_held() -> None:
    rig = Rig()
    rig.now_ms = 100_000
    rig.run(10)
    rig.shift_ms = -60_000
    assert states(rig.run(3, thermal='none')) == [MISSING] * 3
    assert states(rig.run(3, thermal='same')) == [FRESH, HELD, HELD], 'the first of this run'


def test_where_a_registered_image_has_no_value_is_told_on_the_rgb_grid() -> None:
    rig = Rig(homography=(1, 0, 16, 0, 1, 12, 0, 0, 1))
    pair, = rig.run(1)
    inside = np.zeros((48, 64), bool)
    inside[12:36, 16:48] = True
    np.testing.assert_array_equal(pair.thermal_valid, inside)
    assert not pair.thermal[~inside].any()


@pytest.mark.parametrize('offset', [120.0, -80.0])
def test_a_known_offset_of_stamps_pairs_the_images_of_one_instant(offset: float) -> None:
    rig = Rig()
    rig.intake.configure(IntakeConfig(SyncConfig(thermal_offset_ms=f'{offset:g}')))
    for index in range(5):
        rig.now_ms += FRAME_MS
        raw = rig.new_raw()
        raw[:, :] += 1000 * (index % 2)
        rig.intake.take_thermal(round((rig.now_ms + offset) * MS), ThermalImage(raw, False))
        rig.intake.take_rgb(rig.now_ms * MS, rig.new_rgb())
        received, = rig.intake.poll()
        assert received.pair.thermal_stamp_ns == received.pair.stamp_ns


def silent_rgb(rig: Rig, frames: int, thermal: str = 'new') -> list:
    """Let thermal images come alone; return what is received."""
    received = []
    for _ in range(frames):
        rig.now_ms += FRAME_MS
        rig.raw = rig.new_raw() if thermal == 'new' else rig.raw
        rig.intake.take_thermal(rig.now_ms * MS, ThermalImage(rig.raw.copy(), False),
                                header(rig.now_ms, 'thermal_optical_frame'))
        received += rig.intake.poll()
    return received


def header(stamp_ms: int, frame_id: str) -> SimpleNamespace:
    stamp = SimpleNamespace(sec=stamp_ms // 1000, nanosec=stamp_ms % 1000 * MS)
    return SimpleNamespace(stamp=stamp, frame_id=frame_id)


def test_while_rgb_is_silent_thermal_is_the_clock_and_gives_it_back() -> None:
    rig = Rig()
    rig.run(10)
    rgb_header = header(rig.now_ms + FRAME_MS, 'rgb_optical_frame')
    rig.now_ms += FRAME_MS
    rig.intake.take_rgb(rig.now_ms * MS, rig.new_rgb(), rgb_header)
    for _ in range(2):
        rig.intake.poll()
        rig.now_ms += FRAME_MS
    alone = silent_rgb(rig, 30)
    assert len(alone) == 30 - 13, 'half a second is waited for RGB'
    for received in alone:
        pair = received.pair
        assert received.number == 0 and not received.after_reset
        assert pair.health.rgb is MISSING and pair.thermal_fresh and pair.rgb.max() == 0
        assert pair.rgb.shape == (48, 64, 3) and pair.thermal.shape == (48, 64)
        assert received.header.frame_id == pair.frame_id == 'rgb_optical_frame'
        assert received.header.stamp.sec * 10**9 + received.header.stamp.nanosec == pair.stamp_ns
    assert [item.pair.stamp_ns for item in alone] == sorted(item.pair.stamp_ns for item in alone)
    assert rgb_header.stamp.sec * 1000 + rgb_header.stamp.nanosec // MS < rig.now_ms, 'untouched'
    assert rig.intake.thermal_is_clock and any('thermal images are the clock' in line
                                               for line in rig.lines)
    again = rig.run(5)
    assert states(again) == states(again, 'rgb') == [FRESH] * 5
    assert not rig.intake.thermal_is_clock and 'RGB images come again' in rig.lines[-1]
    assert rig.intake.evidence.pairs_without_rgb == 17


def test_a_frozen_thermal_camera_is_no_clock() -> None:
    rig = Rig()
    rig.run(10)
    assert silent_rgb(rig, 30, thermal='same') == []


def test_before_the_first_rgb_image_there_are_no_rgb_pixels_to_put_boxes_in() -> None:
    assert silent_rgb(Rig(), 40) == []
