"""The baseline pairs and converts as message_filters and cv_bridge are known to."""

import random
from types import SimpleNamespace

import numpy as np
import pytest

from rtrack_ros.benchmarks.cost.ros_baseline import (
    RGB,
    THERMAL,
    ApproximateTime,
    imgmsg_to_cv2,
    paired_by_approximate_time,
    stretched_thermal,
)

MS = 1_000_000


def feed(pairing: ApproximateTime[int], *arrivals: tuple[int, int]) -> list[tuple[int, int]]:
    """Feed (stream, stamp in ms) and return the pairs of stamps in ms."""
    out = []
    for stream, stamp in arrivals:
        pair = pairing.add(stream, stamp * MS, stamp)
        if pair is not None:
            out.append(pair)
    return out


def test_equal_stamps_are_paired_and_each_message_once() -> None:
    assert feed(ApproximateTime(), (RGB, 0), (THERMAL, 0), (THERMAL, 33), (RGB, 33), (RGB, 66)
                ) == [(0, 0), (33, 33)]


def test_it_is_greedy_and_loses_the_better_partner() -> None:
    """RGB 0, 16, 33 and thermal 15, 49: (16, 15) is the best pair, and does not come out."""
    arrivals = [(RGB, 0), (THERMAL, 15), (RGB, 16), (RGB, 33), (THERMAL, 49)]
    assert feed(ApproximateTime(), *arrivals) == [(0, 15), (33, 49)]


def test_the_nearest_of_those_that_wait_is_taken() -> None:
    assert feed(ApproximateTime(), (RGB, 0), (RGB, 10), (RGB, 19), (THERMAL, 11)) == [(10, 11)]


def test_a_difference_of_the_slop_itself_is_too_much() -> None:
    assert not feed(ApproximateTime(slop_ns=0), (RGB, 0), (THERMAL, 0))
    assert not feed(ApproximateTime(slop_ns=20 * MS), (RGB, 0), (THERMAL, 20))
    assert feed(ApproximateTime(slop_ns=20 * MS), (RGB, 1), (THERMAL, 20)) == [(1, 20)]


def test_a_full_queue_after_a_jump_back_deletes_every_new_message() -> None:
    """A bag starts again while one queue is full: nothing is paired any more."""
    pairing: ApproximateTime[int] = ApproximateTime(queue_size=5)
    assert not feed(pairing, *[(RGB, 100_000 + 33 * index) for index in range(5)])
    again = [(stream, 33 * index) for index in range(50) for stream in (THERMAL, RGB)]
    assert not feed(pairing, *again)


def test_order_of_arrival_within_a_frame_does_not_matter_to_the_count() -> None:
    stamps = [1 + 33 * MS * index for index in range(100)]
    late = [stamp + 4 * MS for stamp in stamps]
    assert paired_by_approximate_time(stamps, late) == 100
    assert paired_by_approximate_time(late, stamps) == 100
    assert paired_by_approximate_time(stamps, late[::3]) == 34


def message(pixels: np.ndarray, encoding: str, padding: int = 0) -> SimpleNamespace:
    rows = pixels.reshape(pixels.shape[0], -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)))
    return SimpleNamespace(encoding=encoding, height=pixels.shape[0], width=pixels.shape[1],
                           step=padded.shape[1], is_bigendian=0, data=padded.tobytes())


def test_colours_are_swapped_and_copied() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    assert np.array_equal(imgmsg_to_cv2(message(pixels, 'rgb8'), 'bgr8'), pixels[:, :, ::-1])
    assert np.array_equal(imgmsg_to_cv2(message(pixels, 'rgb8', 6), 'bgr8'), pixels[:, :, ::-1])
    copy = imgmsg_to_cv2(message(pixels, 'rgb8'))
    copy[:] = 0
    assert np.array_equal(imgmsg_to_cv2(message(pixels, 'rgb8')), pixels)


def test_thermal_counts_pass_through_and_are_stretched() -> None:
    counts = np.array([[29000, 29500], [30000, 31000]], np.uint16)
    assert np.array_equal(imgmsg_to_cv2(message(counts, 'mono16')), counts)
    assert stretched_thermal(counts, (2, 2)).tolist() == [[0, 64], [127, 255]]
    assert stretched_thermal(counts, (6, 4)).shape == (4, 6)


def test_other_conversions_are_refused() -> None:
    with pytest.raises(ValueError, match='mono16 to bgr8'):
        imgmsg_to_cv2(message(np.zeros((2, 2), np.uint16), 'mono16'), 'bgr8')


def test_nothing_is_paired_twice_whatever_arrives() -> None:
    rng = random.Random(3)
    stamps = sorted(rng.sample(range(6_000), 600), key=lambda stamp: stamp + rng.uniform(0, 30))
    arrivals = [(rng.choice((RGB, THERMAL)), stamp) for stamp in stamps]
    pairs = feed(ApproximateTime(), *arrivals)
    assert len(pairs) > 100
    for column in (0, 1):
        assert len({pair[column] for pair in pairs}) == len(pairs)
    assert all(abs(rgb - thermal) < 20 for rgb, thermal in pairs)
