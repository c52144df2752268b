"""Messages of a detector outside: early, late, resized, wrong, silent."""

import threading

import numpy as np
import pytest

from rtrack_ros.detections import DetectionCounts
from rtrack_ros.frames import FramePair, ImageState, PairHealth
from rtrack_ros.scheduling.detection_feed import DetectionFeed, FeedPixels, ReceivedBoxes
from rtrack_ros.tracking.track_book import Outcome

MS = 1_000_000
PERIOD = 33 * MS


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


class Tracker:
    """Notes what it is given; can be told to take its time, to fail and to refuse."""

    def __init__(self):
        self.taken, self.outcome = [], Outcome.APPLIED
        self.free = threading.Event()
        self.free.set()

    def __call__(self, detections):
        assert self.free.wait(10)
        if detections.detections and detections.detections[0].label == 'trap':
            raise RuntimeError('a trap')
        self.taken.append(detections)
        return self.outcome


@pytest.fixture
def tracker():
    return Tracker()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def feed(tracker, clock):
    feed = DetectionFeed(tracker, monotonic=clock)
    yield feed
    tracker.free.set()
    assert feed.close()


def _pair(stamp_ns, thermal_ns=None, state=ImageState.FRESH):
    return FramePair(stamp_ns, np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), np.uint8),
                     health=PairHealth(thermal=state), thermal_stamp_ns=thermal_ns,
                     thermal_size=(320, 240))


def _boxes(stamp_ns, *boxes, label='person', score=0.9):
    return ReceivedBoxes(stamp_ns, np.array(boxes or [(10, 20, 30, 60)], float),
                         (label,) * max(len(boxes), 1), np.full(max(len(boxes), 1), score))


def _stamps(tracker):
    return [detections.stamp_ns for detections in tracker.taken]


def _see(feed, count):
    for number in range(count):
        feed.see(_pair(number * PERIOD))


def test_a_message_is_about_the_pair_of_its_stamp(feed, tracker):
    _see(feed, 5)
    feed.offer(_boxes(2 * PERIOD))
    assert feed.wait_idle()

    assert _stamps(tracker) == [2 * PERIOD]
    assert tracker.taken[0].detections[0].box == (10, 20, 30, 60)
    assert feed.counts.applied == 1
    assert feed.complaint == ''


def test_a_message_before_its_pair_waits_for_it(feed, tracker):
    _see(feed, 5)
    feed.offer(_boxes(5 * PERIOD))
    assert feed.wait_idle()
    assert _stamps(tracker) == []

    feed.see(_pair(5 * PERIOD))
    assert feed.wait_idle()
    assert _stamps(tracker) == [5 * PERIOD]


@pytest.mark.parametrize(('off', 'found'), [(15 * MS, [2 * PERIOD]), (-15 * MS, [2 * PERIOD]),
                                            (18 * MS, [3 * PERIOD])])
def test_the_nearest_pair_within_half_a_period_is_meant(feed, tracker, off, found):
    _see(feed, 5)
    feed.offer(_boxes(2 * PERIOD + off))
    assert feed.wait_idle()

    assert _stamps(tracker) == found


def test_a_stamp_in_a_gap_is_that_of_no_image_and_this_is_said(feed, tracker):
    _see(feed, 5)
    feed.see(_pair(20 * PERIOD))
    for number in range(3):
        feed.offer(_boxes(10 * PERIOD + number))
    assert feed.wait_idle()

    assert tracker.taken == []
    assert feed.counts.unmatched == 3
    assert 'those of no image' in feed.complaint


def test_stamps_of_another_clock_are_said_though_no_image_ever_reaches_them(feed, tracker):
    _see(feed, 5)
    for number in range(20):
        feed.offer(_boxes(10**18 + number * PERIOD))
    assert feed.wait_idle()

    assert tracker.taken == []
    assert feed.counts.unmatched == 12
    assert 'those of no image' in feed.complaint


def test_a_slow_tracker_drops_the_oldest_messages_and_holds_nobody_up(feed, tracker):
    tracker.free.clear()
    _see(feed, 30)
    for number in range(20):
        feed.offer(_boxes(number * PERIOD))
    tracker.free.set()
    assert feed.wait_idle()

    assert _stamps(tracker)[-8:] == [number * PERIOD for number in range(12, 20)]
    assert feed.counts.overtaken == 20 - len(tracker.taken)


def test_boxes_of_a_thermal_camera_go_to_the_pair_that_first_used_the_image(tracker):
    feed = DetectionFeed(tracker, FeedPixels('thermal'))
    # A thermal camera of a third of the rate, 4 ms after its RGB image.
    for number in range(9):
        first = number % 3 == 0
        feed.see(_pair(number * PERIOD, (number - number % 3) * PERIOD + 4 * MS,
                       ImageState.FRESH if first else ImageState.HELD))
    feed.offer(_boxes(3 * PERIOD + 4 * MS))
    assert feed.wait_idle()
    assert feed.close()

    assert _stamps(tracker) == [3 * PERIOD]
    # 320 x 240 pixels of the camera onto 640 x 480.
    assert tracker.taken[0].detections[0].box == (20, 40, 60, 120)


def test_boxes_of_a_resized_image_are_scaled_back(tracker):
    feed = DetectionFeed(tracker, FeedPixels(image_size=(320, 240)))
    _see(feed, 3)
    feed.offer(_boxes(PERIOD))
    assert feed.wait_idle()
    assert feed.close()

    assert tracker.taken[0].detections[0].box == (20, 40, 60, 120)


def test_boxes_of_a_larger_image_are_said_with_the_remedy_until_they_fit_again(feed, tracker):
    _see(feed, 60)
    for number in range(5):
        feed.offer(_boxes(number * PERIOD, (900, 500, 1000, 900), (600, 300, 700, 700)))
        assert feed.wait_idle()
    assert 'detections.image_size' in feed.complaint
    assert feed.counts.boxes == DetectionCounts(kept=5, clipped=5, far_out=5, outside=5)

    for number in range(5, 30):
        feed.offer(_boxes(number * PERIOD))
        assert feed.wait_idle()
    assert feed.complaint == ''


def test_percentages_for_scores_are_said(feed):
    _see(feed, 9)
    for number in range(3):
        feed.offer(_boxes(number * PERIOD, score=93.0))
        assert feed.wait_idle()

    assert 'scores of detections' in feed.complaint


def test_what_fails_is_counted_and_the_next_message_is_taken(feed, tracker):
    _see(feed, 5)
    feed.offer(_boxes(PERIOD, label='trap'))
    feed.offer(_boxes(2 * PERIOD))
    assert feed.wait_idle()
    for _ in range(3):
        feed.refuse('a box without a result')

    assert _stamps(tracker) == [2 * PERIOD]
    assert feed.counts.malformed == 4
    assert feed.complaint == 'detections cannot be read: a box without a result'


def test_silence_is_said_after_a_first_message_and_not_before(feed, clock):
    clock.now_s = 100.0
    assert feed.complaint == ''
    _see(feed, 5)
    feed.offer(_boxes(PERIOD))
    assert feed.wait_idle()
    clock.now_s = 101.9
    assert feed.complaint == ''
    clock.now_s = 104.0
    assert feed.complaint.startswith('detections stopped, none for 4 s')

    feed.offer(_boxes(2 * PERIOD))
    assert feed.wait_idle()
    assert feed.complaint == ''


def test_stamps_that_begin_anew_forget_the_old_pairs(feed, tracker):
    _see(feed, 20)
    feed.reset()
    feed.see(_pair(PERIOD))
    feed.see(_pair(2 * PERIOD))
    feed.offer(_boxes(10 * PERIOD))
    feed.offer(_boxes(PERIOD))
    assert feed.wait_idle()

    assert _stamps(tracker) == [PERIOD]


def _stream(feed, box, frames):
    for number in frames:
        feed.see(_pair(number * PERIOD))
        feed.offer(_boxes(number * PERIOD, box))
        assert feed.wait_idle()


def test_boxes_that_lie_far_beyond_the_image_move_nothing(feed, tracker):
    _stream(feed, (500, 300, 900, 700), range(10))
    assert 'detections.image_size' in feed.complaint
    assert tracker.taken == [] and feed.counts.refused == 10
    _stream(feed, (50, 30, 90, 70), range(10, 30))
    assert 14 <= len(tracker.taken) <= 16 and feed.complaint == ''


def test_among_sets_of_a_larger_image_one_that_fits_by_chance_is_not_used(feed, tracker):
    _stream(feed, (500, 300, 900, 700), range(5))
    _stream(feed, (50, 30, 90, 70), range(5, 6))
    _stream(feed, (500, 300, 900, 700), range(6, 10))
    assert tracker.taken == []


def test_boxes_that_reach_a_little_beyond_the_edge_are_used(feed, tracker):
    _stream(feed, (600, 300, 660, 490), range(10))
    assert len(tracker.taken) == 10


def test_in_a_file_messages_are_handed_over_by_whoever_drains(tracker, clock):
    feed = DetectionFeed(tracker, monotonic=clock, threaded=False)
    feed.offer(_boxes(2 * PERIOD))
    feed.offer(_boxes(PERIOD))
    assert not feed.drain()
    _see(feed, 2)
    assert feed.drain() and _stamps(tracker) == [PERIOD]
    _see(feed, 3)
    assert feed.drain() and not feed.drain() and _stamps(tracker) == [PERIOD, 2 * PERIOD]
    assert feed.close()
