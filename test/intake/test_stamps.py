"""Stamps that cannot be right are replaced, and the clock of those that can be is kept."""

from types import SimpleNamespace

import pytest

from rtrack_ros.intake.stamps import StampReader

STEP, SECOND, WALL = 33_333_333, 10**9, 1_700_000_000_000_000_000


class Camera:
    """Sends an image every 33 ms, each of other pixels, under stamps of its own."""

    def __init__(self) -> None:
        self.now_ns, self.warnings = 50 * SECOND, []
        self.read = StampReader('rgb/image_raw', lambda kind, text: self.warnings.append(
            kind.removesuffix(' rgb/image_raw')), self)

    def monotonic_ns(self) -> int:
        return self.now_ns

    def time_ns(self) -> int:
        return WALL + self.now_ns

    def send(self, stamp_ns: int, after_ns: int = STEP, data: bytes | None = None) -> int:
        self.now_ns += after_ns
        stamp = SimpleNamespace(sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)
        return self.read(SimpleNamespace(
            header=SimpleNamespace(stamp=stamp),
            data=self.now_ns.to_bytes(8, 'big') if data is None else data))


@pytest.fixture
def camera() -> Camera:
    return Camera()


def test_stamps_in_order_are_taken_as_they_are(camera: Camera) -> None:
    stamps = [7 * SECOND + index * STEP for index in range(5)]
    assert [camera.send(stamp) for stamp in stamps] == stamps and not camera.warnings


@pytest.mark.parametrize('off_ns', [3600 * SECOND, -3600 * SECOND, -SECOND])
def test_one_stamp_that_lies_off_alone_is_replaced(camera: Camera, off_ns: int) -> None:
    stamps = [7000 * SECOND + index * STEP for index in range(6)]
    sent = [stamp + off_ns * (place == 3) for place, stamp in enumerate(stamps)]
    assert [camera.send(stamp) for stamp in sent] == stamps
    assert camera.warnings == ['odd stamp']


@pytest.mark.parametrize('off_ns', [3600 * SECOND, -3600 * SECOND])
def test_a_clock_that_was_set_is_believed_from_its_second_stamp_on(camera: Camera,
                                                                   off_ns: int) -> None:
    stamps = [7000 * SECOND + index * STEP for index in range(6)]
    sent = [stamp + off_ns * (place >= 3) for place, stamp in enumerate(stamps)]
    assert [camera.send(stamp) for stamp in sent] == [*stamps[:4], *sent[4:]]
    assert ('clock' in camera.warnings) is (off_ns > 0), 'a jump back is said by the intake'


def test_two_wrong_stamps_that_do_not_agree_are_both_replaced(camera: Camera) -> None:
    stamps = [7000 * SECOND + index * STEP for index in range(6)]
    sent = [*stamps[:3], stamps[3] + 900 * SECOND, stamps[4] - 900 * SECOND, stamps[5]]
    assert [camera.send(stamp) for stamp in sent] == stamps


def test_a_player_that_pauses_sends_right_stamps(camera: Camera) -> None:
    stamps = [7 * SECOND + index * STEP for index in range(4)]
    times = (STEP, STEP, 20 * SECOND, STEP)
    assert [camera.send(*both) for both in zip(stamps, times, strict=True)] == stamps


def test_a_clock_that_stands_still_goes_on_by_arrival(camera: Camera) -> None:
    taken = [camera.send(123_456_789) for _ in range(40)]
    assert taken == [123_456_789 + index * STEP for index in range(40)]
    assert set(camera.warnings) == {'coarse stamps'}


def test_two_images_under_each_stamp_are_apart_and_in_order(camera: Camera) -> None:
    begin = 9 * SECOND + 1
    taken = [camera.send(begin + index // 2 * 2 * STEP) for index in range(10)]
    assert taken == [begin + index * STEP for index in range(10)]


def test_after_a_while_without_a_repetition_stamps_are_believed_again(camera: Camera) -> None:
    camera.send(SECOND)
    camera.send(SECOND)
    taken = [camera.send(SECOND + index * STEP + 7) for index in range(2, 40)]
    assert taken[-1] == SECOND + 39 * STEP + 7


def test_one_image_sent_twice_keeps_its_stamp(camera: Camera) -> None:
    assert camera.send(5 * SECOND, data=b'same') == camera.send(5 * SECOND, data=b'same')


def test_two_cameras_on_one_topic_are_no_clock_that_stands_still(camera: Camera) -> None:
    # Triggered together they arrive together; the intake drops one and asks whether they are two.
    assert camera.send(5 * SECOND) == camera.send(5 * SECOND, after_ns=1_000_000) == 5 * SECOND
    assert not camera.warnings


def test_images_without_stamps_have_the_time_of_arrival(camera: Camera) -> None:
    first = camera.send(0)
    assert first == WALL + camera.now_ns
    assert [camera.send(0) for _ in range(3)] == [first + index * STEP for index in range(1, 4)]


def test_a_stamp_that_is_missing_among_others_is_of_their_clock(camera: Camera) -> None:
    stamps = [7 * SECOND + index * STEP for index in range(6)]
    sent = [stamp * (place % 3 != 2) for place, stamp in enumerate(stamps)]
    assert [camera.send(stamp) for stamp in sent] == stamps
