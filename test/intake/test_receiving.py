"""Messages of two cameras become frame pairs, whatever arrives in between."""

import time

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from rtrack_ros.intake.receiving import Intake
from rtrack_ros.nodes.conversion import image_message
from rtrack_ros.nodes.throttled_log import ThrottledLog
from rtrack_ros.parameters.values import defaults, intake_config

FRAME_NS = 33_000_000
START_NS = 5_000_000_000


class Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, text: str) -> None:
        self.lines.append(text)

    error = warning


def make_intake(**changes: object) -> tuple[Intake, list[str]]:
    settings = defaults()
    logger = Lines()
    return Intake(intake_config(settings | changes), ThrottledLog(logger)), logger.lines


def make_header(stamp_ns: int) -> Header:
    header = Header(frame_id='rgb_optical_frame')
    header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    return header


def rgb(stamp_ns: int, size: tuple[int, int] = (64, 48)) -> Image:
    pixels = np.random.default_rng(stamp_ns).integers(0, 200, (size[1], size[0], 3))
    return image_message(pixels.astype(np.uint8), 'rgb8', make_header(stamp_ns))


def thermal(stamp_ns: int, counts: int = 30000) -> Image:
    pixels = np.full((24, 32), counts, np.uint16)
    pixels[12:] += 500
    return image_message(pixels, 'mono16', make_header(stamp_ns))


def test_a_pair_carries_the_rgb_header_and_the_thermal_on_its_grid() -> None:
    intake, lines = make_intake()
    intake.add_thermal(thermal(START_NS + 1_000_000))
    message = rgb(START_NS)
    intake.add_rgb(message)
    received, = intake.poll()
    assert received.header == message.header
    assert received.pair.stamp_ns == START_NS
    assert received.pair.frame_id == 'rgb_optical_frame'
    assert received.pair.thermal.shape == (48, 64) and received.pair.thermal.dtype == np.uint8
    assert not intake.waiting and lines == []


def test_every_rgb_image_leaves_without_a_thermal_camera() -> None:
    intake, _ = make_intake()
    stamps = []
    for index in range(20):
        intake.add_rgb(rgb(START_NS + index * FRAME_NS))
        stamps += [received.pair.stamp_ns for received in intake.poll()]
    assert stamps == [START_NS + index * FRAME_NS for index in range(20)]
    assert not intake.thermal_status(time.monotonic_ns()).healthy


def test_garbage_is_counted_and_named_and_the_next_image_passes() -> None:
    intake, lines = make_intake()
    broken = rgb(START_NS)
    broken.height = 4000
    intake.add_rgb(broken)
    intake.add_thermal(Image(encoding='rgb8', height=3, width=3, step=1))
    intake.add_rgb(rgb(START_NS))
    assert len(intake.poll()) == 1
    assert intake.frames_rejected == 2
    assert 'rgb/image_raw: image refused' in lines[0] and '64x4000' in lines[0]
    assert 'thermal/image_raw: image refused' in lines[1]


def test_a_backward_jump_is_marked_and_reported() -> None:
    intake, lines = make_intake()
    for index in range(3):
        intake.add_rgb(rgb(START_NS + index * FRAME_NS))
        intake.poll()
    flags = []
    for index in range(3):
        intake.add_rgb(rgb(START_NS - 2_000_000_000 + index * FRAME_NS))
        flags += [received.after_reset for received in intake.poll()]
    # One stamp alone may be wrong; the second says that the clock is another one.
    assert flags == [False, True, False]
    assert 'jumped back' in lines[-1]


def test_of_images_that_come_faster_than_they_are_tracked_the_newest_counts() -> None:
    intake, _ = make_intake()
    for index in range(4):
        intake.add_rgb(rgb(START_NS + index * FRAME_NS))
        intake.add_thermal(thermal(START_NS + index * FRAME_NS))
    (received,) = intake.poll(newest_only=True)
    assert received.pair.stamp_ns == START_NS + 3 * FRAME_NS
    assert received.pair.thermal is not None and not received.after_reset
    assert intake.counts.rgb_superseded == received.pair.passed_over == 3
    assert intake.frames_rejected == 0


def test_a_jump_back_is_not_passed_over_with_its_image() -> None:
    intake, _ = make_intake()
    intake.add_rgb(rgb(START_NS))
    intake.poll()
    for index in range(3):
        intake.add_rgb(rgb(START_NS - 2_000_000_000 + index * FRAME_NS))
    (received,) = intake.poll(newest_only=True)
    assert received.after_reset
    assert received.pair.stamp_ns == START_NS - 2_000_000_000 + 2 * FRAME_NS


def test_a_recording_keeps_every_image() -> None:
    intake, _ = make_intake()
    for index in range(4):
        intake.add_rgb(rgb(START_NS + index * FRAME_NS))
    assert [item.pair.passed_over for item in intake.poll()] == [0] * 4
    assert intake.counts.rgb_superseded == 0


def test_another_picture_size_starts_afresh() -> None:
    intake, _ = make_intake()
    flags = []
    for index, size in enumerate([(64, 48), (64, 48), (32, 24), (32, 24)]):
        intake.add_rgb(rgb(START_NS + index * FRAME_NS, size))
        flags += [received.after_reset for received in intake.poll()]
    assert flags == [False, False, True, False]


def test_a_repeated_stamp_is_dropped_with_a_warning() -> None:
    intake, lines = make_intake()
    intake.add_rgb(rgb(START_NS))
    intake.poll()
    intake.add_rgb(rgb(START_NS))
    assert intake.poll() == [] and intake.frames_rejected == 1 and not intake.waiting
    assert 'out of order or twice' in lines[0]


def test_a_late_image_is_dropped_with_a_warning() -> None:
    intake, lines = make_intake()
    intake.add_rgb(rgb(START_NS))
    intake.poll()
    intake.add_rgb(rgb(START_NS - FRAME_NS))
    assert intake.poll() == [] and intake.frames_rejected == 1
    assert 'out of order or twice' in lines[0]


def test_an_rgb_image_waits_until_its_partner_is_there() -> None:
    intake, _ = make_intake(**{'sync.max_wait_ms': 1000.0})
    intake.add_thermal(thermal(START_NS))
    assert not intake.waiting
    intake.add_rgb(rgb(START_NS + FRAME_NS))
    assert intake.poll() == [] and intake.waiting
    intake.add_thermal(thermal(START_NS + FRAME_NS))
    assert len(intake.poll()) == 1 and not intake.waiting


def test_images_without_stamps_use_the_time_of_arrival() -> None:
    intake, lines = make_intake()
    for _ in range(3):
        intake.add_rgb(rgb(0))
        received, = intake.poll()
        assert received.pair.stamp_ns > START_NS
        assert received.header.stamp.sec == 0
    assert 'carries no stamps' in lines[0]


def test_linear_scaling_keeps_its_limits() -> None:
    intake, _ = make_intake(**{'thermal.scaling': 'linear', 'thermal.linear_low': 30000.0,
                               'thermal.linear_high': 31000.0})
    intake.add_thermal(thermal(START_NS))
    intake.add_rgb(rgb(START_NS))
    received, = intake.poll()
    assert received.pair.thermal[2, 2] == 0
    assert received.pair.thermal[45, 2] == pytest.approx(127, abs=1)


def test_the_homography_moves_the_thermal_image() -> None:
    shift = [2.0, 0.0, 32.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]
    intake, _ = make_intake(**{'thermal.homography': shift, 'thermal.scaling': 'linear',
                               'thermal.linear_low': 0.0, 'thermal.linear_high': 40000.0})
    intake.add_thermal(thermal(START_NS))
    intake.add_rgb(rgb(START_NS))
    received, = intake.poll()
    assert received.pair.thermal[10, 5] == 0 and received.pair.thermal[10, 50] > 100


def test_a_palette_is_reported() -> None:
    intake, lines = make_intake()
    message = rgb(START_NS)
    intake.add_thermal(message)
    intake.add_rgb(message)
    assert intake.poll()[0].pair.thermal is not None
    assert 'false colours' in lines[0]


@pytest.mark.parametrize('highest, warned', [(4095, True), (65535, False)])
def test_colours_that_use_only_the_low_bits_of_sixteen_are_told(highest: int,
                                                                warned: bool) -> None:
    intake, lines = make_intake()
    pixels = np.linspace(0, highest, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint16)
    intake.add_rgb(image_message(pixels, 'rgb16', make_header(START_NS)))
    assert len(intake.poll()) == 1
    assert any('low bits' in line for line in lines) is warned
