"""When thermal is lost, log, status, diagnostics and debug image say the same."""

from types import SimpleNamespace

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from rtrack_ros.msg import TrackerStatus
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from rtrack_ros.engines.base import Capabilities
from rtrack_ros.intake.receiving import Intake, ReceivedPair
from rtrack_ros.intake.thermal_state import ThermalState
from rtrack_ros.language.queries import Query
from rtrack_ros.nodes import debug_image
from rtrack_ros.nodes.activity import Activity
from rtrack_ros.nodes.conversion import image_message
from rtrack_ros.nodes.diagnostics import Health, diagnostic_array, status_message
from rtrack_ros.nodes.throttled_log import ThrottledLog
from rtrack_ros.parameters.values import defaults, intake_config
from rtrack_ros.pipeline import TrackingPipeline

SECOND, FRAME_NS = 1_000_000_000, 33_000_000
SETTINGS = defaults()
MODEL = Capabilities('openvino', 'rtrack-nano', 'CPU', 'int8', 'rel1000', (320, 256), True)


def image(stamp_ns: int, thermal: bool = False) -> Image:
    header = Header()
    header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, SECOND)
    shape, kind = ((12, 16), np.uint16) if thermal else ((24, 32, 3), np.uint8)
    noise = np.random.default_rng(stamp_ns).integers(0, 200, shape).astype(kind)
    return image_message(noise, 'mono16' if thermal else 'rgb8', header)


class Robot:
    """An intake with the node's counts, by a clock that the test moves."""

    def __init__(self) -> None:
        self.now_ns, self.lines, self.activity = 100 * SECOND, [], Activity()
        clock = SimpleNamespace(monotonic_ns=lambda: self.now_ns, time_ns=lambda: self.now_ns)
        log = SimpleNamespace(warning=self.lines.append, error=self.lines.append)
        self.intake = Intake(intake_config(SETTINGS), ThrottledLog(log, period_s=0.0), clock)
        self.newest: ReceivedPair | None = None

    def run(self, frames: int, thermal: bool = True, offset_ns: int = 0,
            readable: bool = True) -> None:
        for _ in range(frames):
            self.now_ns += FRAME_NS
            if thermal:
                message = image(self.now_ns + offset_ns, thermal=True)
                message.height *= 1 if readable else 1000
                self.intake.add_thermal(message)
                self._poll()
            self.intake.add_rgb(image(self.now_ns))
            self._poll()

    def _poll(self) -> None:
        for received in self.intake.poll():
            self.newest = received
            self.activity.pairs_in += 1
            self.activity.pairs_without_thermal += received.pair.thermal is None
            self.activity.pair_rate.tick(self.now_ns)

    def health(self) -> Health:
        return Health(self.now_ns, self.activity, self.intake, TrackingPipeline(None).stats(),
                      MODEL, (Query('default', 'the people', 1),), 1, SETTINGS)

    @property
    def status(self) -> TrackerStatus:
        return status_message(self.health(), Time(), '')

    @property
    def inputs(self) -> DiagnosticStatus:
        return diagnostic_array(self.health(), Time()).status[0]


@pytest.fixture
def robot() -> Robot:
    return Robot()


def captions(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the debug image says about the newest pair."""
    texts: list[str] = []
    monkeypatch.setattr(debug_image.cv2, 'putText', lambda image, text, *_: texts.append(text))
    assert robot.newest is not None
    debug_image.draw(robot.newest.pair, [], ['the people'], robot.newest.thermal)
    return texts


def test_with_both_cameras_nothing_is_complained_of(robot: Robot,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    robot.run(60)
    assert robot.status.thermal_healthy and robot.status.message == ''
    assert robot.inputs.level == DiagnosticStatus.OK
    assert robot.lines == []
    assert captions(robot, monkeypatch) == ['the people']


def never_came(robot: Robot) -> None:
    robot.run(60, thermal=False)


def cannot_be_read(robot: Robot) -> None:
    robot.run(60, readable=False)
    robot.lines[:] = [line for line in robot.lines if 'image refused' not in line]


def fell_silent(robot: Robot) -> None:
    robot.run(30)
    robot.run(60, thermal=False)


def never_pairs(robot: Robot) -> None:
    robot.run(90, offset_ns=-300_000_000)


@pytest.mark.parametrize(('happens', 'state', 'remedy'), [
    (never_came, ThermalState.ABSENT, 'remapping of thermal/image_raw'),
    (cannot_be_read, ThermalState.ABSENT, 'the log for refused images'),
    (fell_silent, ThermalState.SILENT, 'check the camera'),
    (never_pairs, ThermalState.UNPAIRED, 'raise sync.max_wait_ms to 310')])
def test_a_loss_is_told_everywhere_in_the_same_words(
        robot: Robot, monkeypatch: pytest.MonkeyPatch, happens, state: ThermalState,
        remedy: str) -> None:
    happens(robot)
    sentence = robot.status.message
    assert not robot.status.thermal_healthy
    assert sentence.startswith(state.value) and remedy in sentence
    assert robot.inputs.level == DiagnosticStatus.WARN and robot.inputs.message == sentence
    assert set(robot.lines) == {sentence}
    assert captions(robot, monkeypatch)[0] == state.value


def test_no_pair_with_thermal_is_never_ok_from_the_first_frame_on(robot: Robot) -> None:
    for offset_ns in (-300_000_000,) * 60:
        robot.run(1, offset_ns=offset_ns)
        assert robot.inputs.level != DiagnosticStatus.OK
    assert robot.activity.pairs_without_thermal == robot.activity.pairs_in >= 58


def test_nothing_is_logged_before_the_cameras_had_time_to_start(robot: Robot) -> None:
    robot.run(10, thermal=False)
    assert robot.lines == [] and robot.status.message == 'waiting for thermal images'


def test_one_pair_without_thermal_is_named_in_the_picture_and_no_loss(
        robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    robot.run(60)
    robot.run(9, thermal=False)  # longer than an image is held, shorter than the timeout
    robot.now_ns += FRAME_NS
    robot._poll()
    assert robot.newest is not None and robot.newest.pair.thermal is None
    assert captions(robot, monkeypatch)[0] == 'no thermal image for this RGB image'
    assert robot.status.thermal_healthy and robot.lines == []
