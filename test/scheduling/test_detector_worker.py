"""A detector of our own choice: when it looks, what a failure costs, the newest pair."""

import threading

import numpy as np
import pytest

from rtrack_ros.detectors.base import DetectorError, Seen
from rtrack_ros.detectors.config import DetectorConfig
from rtrack_ros.frames import FramePair
from rtrack_ros.pipeline import PipelineConfig, TrackingPipeline
from rtrack_ros.scheduling.detecting import Sources
from rtrack_ros.scheduling.detector_worker import DetectorWorker, LookCounts, Looks, pause_s

PERIOD = 33_333_333
SEEN = Seen(np.array([[100.0, 100, 140, 220]]), ('person',), np.array([0.9]))


def _pair(number):
    return FramePair(number * PERIOD, np.full((240, 320, 3), 60, np.uint8), None)


class Sees:
    """Sees a person; can be held up, and fails on images it is told to."""

    def __init__(self, fails=()):
        self.looks, self.fails = 0, fails
        self.begun, self.free = threading.Event(), threading.Event()
        self.free.set()

    def __call__(self, image):
        self.looks += 1
        self.begun.set()
        assert self.free.wait(10)
        if self.looks in self.fails:
            raise DetectorError('out of memory')
        return SEEN


def test_a_file_is_looked_at_by_stamps_and_the_same_each_time():
    def stamps():
        taken = []
        looks = Looks(Sees(), lambda seen: taken.append(seen.stamp_ns), DetectorConfig(rate_hz=10))
        for number in range(30):
            if looks.is_due(_pair(number)):
                looks.look(_pair(number))
        return taken

    assert stamps() == stamps() == [number * PERIOD for number in range(0, 30, 3)]


def test_a_failure_is_counted_said_and_forgotten_after_a_success():
    looks = Looks(Sees(fails=(1, 2)), lambda seen: None, DetectorConfig())
    looks.look(_pair(0))
    looks.look(_pair(1))
    assert looks.counts.failures == 2
    assert 'out of memory' in looks.counts.complaint

    looks.look(_pair(2))
    assert looks.counts.complaint == ''
    assert (looks.counts.looks, looks.counts.boxes.kept) == (1, 1)


@pytest.mark.parametrize(('took_s', 'settings', 'failed', 'rest_s'), [
    (0.1, {'time_share': 0.5, 'rate_hz': 30}, 0, 0.1),
    (0.1, {'time_share': 1.0, 'rate_hz': 30}, 0, 0.0),
    (0.01, {'time_share': 0.5, 'rate_hz': 10}, 0, 0.09),
    (0.01, {}, 1, 0.5), (0.01, {}, 3, 2.0), (0.01, {}, 1000, 30.0)])
def test_it_rests_for_its_share_of_the_time_and_longer_the_more_it_fails(
        took_s, settings, failed, rest_s):
    assert pause_s(LookCounts(failed_in_a_row=failed), took_s, DetectorConfig(
        **settings)) == pytest.approx(rest_s)


def test_the_newest_pair_is_looked_at_and_none_between():
    taken, detector, done = [], Sees(), threading.Semaphore(0)

    def deliver(seen):
        taken.append(seen.stamp_ns)
        done.release()

    detector.free.clear()
    worker = DetectorWorker(Looks(detector, deliver, DetectorConfig(rate_hz=120, time_share=1.0)))
    worker.offer(_pair(0))
    assert detector.begun.wait(10)
    for number in range(1, 6):
        worker.offer(_pair(number))
    detector.free.set()
    assert done.acquire(timeout=10)
    assert done.acquire(timeout=10)
    assert worker.close()

    assert taken == [0, 5 * PERIOD]


def test_objects_are_followed_in_a_file_by_the_detector_alone():
    pipeline = TrackingPipeline(None, synchronous=True, sources=Sources(Sees()))
    for number in range(30):
        tracks = pipeline.push(_pair(number))
    assert pipeline.close()

    assert pipeline.stats().detections == 10
    assert len(tracks) == 1
    assert tracks[0].label == 'person'
    assert np.abs(np.subtract(tracks[0].box, (100, 100, 140, 220))).max() < 3


def test_a_live_pipeline_closes_its_detector():
    detector = Sees()
    pipeline = TrackingPipeline(None, sources=Sources(detector))
    pipeline.push(_pair(0))
    assert detector.begun.wait(10)
    assert pipeline.close()
    assert 'detector' not in {thread.name for thread in threading.enumerate()}
    assert PipelineConfig().detector.name == 'none'
