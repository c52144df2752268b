"""Stamps of a recording become wall time, whatever clock they are of."""

import pytest

from rtrack_ros.nodes.bags.restamping import Restamper

BEGIN, WALL, STEP = 1_700_000_000 * 10**9, 1_800_000_000 * 10**9, 33_333_333


@pytest.mark.parametrize('offset_ns', [0, 4_000_000, -250_000_000, -BEGIN + 5 * 10**9, 10**18])
def test_every_image_keeps_its_distance_from_the_first(offset_ns: int) -> None:
    restamp = Restamper(BEGIN, 1.0)
    stamps = [restamp('/rgb', BEGIN + index * STEP + offset_ns, BEGIN + index * STEP, WALL)
              for index in range(30)]
    assert [after - before for before, after in zip(stamps, stamps[1:], strict=False)] == [
        STEP] * 29
    near = offset_ns if abs(offset_ns) < 10**9 else 0
    assert stamps[0] == WALL + near


def test_two_sensors_on_one_foreign_clock_keep_their_offset() -> None:
    restamp, boot = Restamper(BEGIN, 1.0), -BEGIN + 5 * 10**9
    assert restamp('/rgb', BEGIN + boot, BEGIN, WALL) == WALL
    assert restamp('/thermal', BEGIN + boot + 7_000_000, BEGIN, WALL) == WALL + 7_000_000


def test_what_has_no_stamp_gets_the_time_of_its_recording() -> None:
    restamp = Restamper(BEGIN, 2.0)
    assert [restamp('/rgb', 0, BEGIN + index * STEP, WALL) - WALL for index in range(3)] == [
        0, STEP // 2, 2 * STEP // 2]
