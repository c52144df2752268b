"""A step does less where steps take longer than the time there is, and more where there is time.

The clock is given; nothing here depends on how fast the machine is.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.effort import Effort, EffortControl
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.motion.field import OpticalFlow
from rtrack_ros.tracking.redetection import Redetector
from rtrack_ros.tracking.tracker import Tracker

CONFIG = TrackerConfig()
PERIOD_S = 1 / 30
QUERIES = (Query('default', 'things', 1),)
FULL_MS = {Effort.FULL: 1.0, Effort.FEWER_LOOKS: 0.8, Effort.ONE_SPECTRUM: 0.5,
           Effort.COARSE_FLOW: 0.3, Effort.KALMAN_ONLY: 0.05}


class Machine:
    """A clock that steps of a given effort move on."""

    def __init__(self, full_ms: float) -> None:
        self.full_ms = full_ms
        self.now = 100.0
        self.control = EffortControl(lambda: self.now)

    def run(self, frames: int, config: TrackerConfig = CONFIG) -> list[Effort]:
        efforts = []
        for _ in range(frames):
            efforts.append(self.control.begin(PERIOD_S, config))
            self.now += FULL_MS[efforts[-1]] * self.full_ms * 1e-3
            self.control.end()
        return efforts


def test_with_time_to_spare_every_step_does_everything() -> None:
    assert set(Machine(8.0).run(100)) == {Effort.FULL}


@pytest.mark.parametrize(('full_ms', 'settled'), [
    (22.0, Effort.FEWER_LOOKS), (30.0, Effort.ONE_SPECTRUM), (50.0, Effort.COARSE_FLOW)])
def test_less_is_done_in_order_until_a_step_fits(full_ms, settled) -> None:
    machine = Machine(full_ms)
    efforts = machine.run(28)
    assert efforts == sorted(efforts), 'one after the other, and none left out'
    assert set(efforts) == set(Effort(level) for level in range(settled + 1))
    assert Counter(efforts[:9])[Effort.FULL] == 3, 'three long steps are no hiccup'
    assert machine.control.counts == Counter(efforts)


def test_a_step_that_never_fits_is_made_up_for_by_frames_without_measuring() -> None:
    machine = Machine(150.0)
    machine.run(50)
    begin = machine.now
    efforts = machine.run(300)
    assert set(efforts) == {Effort.COARSE_FLOW, Effort.KALMAN_ONLY}
    assert machine.now - begin < 1.05 * 300 * 0.6 * PERIOD_S
    assert efforts.count(Effort.COARSE_FLOW) > 80, 'no more frames than needed go unmeasured'


def test_a_hiccup_changes_nothing() -> None:
    machine = Machine(8.0)
    for _ in range(20):
        machine.run(5)
        machine.full_ms = 200.0
        assert machine.run(1) == [Effort.FULL]
        machine.full_ms = 8.0


def test_more_is_done_again_when_there_is_time_and_attempts_that_fail_grow_rare() -> None:
    machine = Machine(50.0)
    machine.run(40)
    machine.full_ms = 5.0
    assert machine.run(150)[-1] is Effort.FULL
    machine = Machine(21.0)
    machine.run(10)
    assert machine.run(3000).count(Effort.FULL) < 60


def test_a_budget_that_is_set_counts_and_not_the_period() -> None:
    assert Machine(8.0).run(40, TrackerConfig(budget_ms=5.0))[-1] is Effort.ONE_SPECTRUM
    assert set(Machine(32.0).run(40, TrackerConfig(budget_ms=40.0))) == {Effort.FULL}


def served(full_ms: float, other_ms: float, frames: int = 1500,
           config: TrackerConfig = CONFIG) -> tuple[float, Effort]:
    """Track the newest image of a camera whenever there is one; other work comes with each.

    Returns the share of images passed over in the second half, and the effort at the end.
    """
    machine, last, passed, effort = Machine(full_ms), 0, 0, Effort.FULL
    begin = machine.now
    while last < frames:
        newest = max(int((machine.now - begin) / PERIOD_S + 1e-6), last + 1)
        machine.now = max(machine.now, begin + newest * PERIOD_S)
        between = newest - last - 1
        effort = machine.control.begin(PERIOD_S, config, between)
        machine.now += FULL_MS[effort] * full_ms * 1e-3
        machine.control.end()
        machine.now += other_ms * 1e-3
        last, passed = newest, passed + (between if newest > frames // 2 else 0)
    return passed / (frames / 2), effort


@pytest.mark.parametrize(('full_ms', 'other_ms', 'effort'), [
    (15.0, 12.0, Effort.FULL), (19.0, 18.0, Effort.FEWER_LOOKS),
    (22.0, 21.0, Effort.ONE_SPECTRUM)])
def test_less_is_done_where_all_that_an_image_takes_is_too_long(full_ms, other_ms, effort) -> None:
    # Steps of 19 and 17.6 ms are within their share of the period, and the rest does not fit.
    lost, reached = served(full_ms, other_ms)
    assert lost < 0.03 and reached is effort


def test_a_budget_that_is_set_counts_also_where_images_are_passed_over() -> None:
    lost, reached = served(19.0, 18.0, config=TrackerConfig(budget_ms=20.0))
    assert lost > 0.05 and reached is Effort.FULL


def test_the_tracks_longest_unseen_are_followed_first() -> None:
    frame = Frame(0, PERIOD_S, None, (640, 480), coasting_s={1: 0.0, 2: 0.3, 3: 0.1, 5: 0.0})
    assert Effort.ONE_SPECTRUM.followed([1, 2, 3, 4, 5], frame) == [1, 2, 3, 4, 5]
    assert Effort.COARSE_FLOW.followed([1, 2, 3, 4, 5], frame) == [2, 3, 1]
    assert Effort.KALMAN_ONLY.followed([1, 2, 3], frame) == []


class Watched(OpticalFlow):
    """Notes what it is asked to measure."""

    def __init__(self) -> None:
        self.boxes: list[int] = []
        self.spectra: list[int] = []

    def measure_motion(self, before, after, boxes, expected, config):
        self.boxes.append(len(boxes))
        self.spectra.append(config.spectra_per_frame)
        return super().measure_motion(before, after, boxes, expected, config)


class Always:
    """Chooses one effort."""

    def __init__(self, effort: Effort) -> None:
        self.effort, self.counts = effort, Counter()

    def begin(self, dt_s, config, passed_over) -> Effort:
        self.counts[self.effort] += 1
        return self.effort

    def end(self) -> None:
        pass


@pytest.mark.parametrize(('effort', 'least', 'measured'), [
    (Effort.FULL, 3.0, 4), (Effort.ONE_SPECTRUM, 4.0, 4), (Effort.COARSE_FLOW, 6.0, 2),
    (Effort.KALMAN_ONLY, 25.0, 0)])
def test_tracks_stay_on_their_objects_with_every_effort(effort, least, measured, make_world,
                                                        make_path) -> None:
    world = make_world([make_path(60 + 140 * place, 100 + 60 * place, 20, 6)
                        for place in range(4)])
    motion = Watched()
    tracker = Tracker(CONFIG, motion, Redetector(), effort=Always(Effort.FULL))
    for index in range(30):
        if index == 10:
            tracker._effort = Always(effort)
            motion.boxes.clear()
        tracks = tracker.step(world.pair(index), QUERIES)
        if index == 2:
            tracker.apply(world.answer(2))
    assert len(tracks) == 4
    centres = sorted([(track.box[0] + track.box[2]) / 2 for track in tracks])
    true = sorted((world.boxes(29)[:, 0] + world.boxes(29)[:, 2]) / 2)
    assert np.abs(np.array(centres) - true).max() < least
    assert set(motion.boxes) == ({measured} if measured else set())
    assert tracker.efforts == {effort: 20}


class Noting(Always):
    """Notes which periods of the camera it is told."""

    def __init__(self) -> None:
        super().__init__(Effort.FULL)
        self.periods: list[float] = []
        self.passed_over: list[int] = []

    def begin(self, dt_s, config, passed_over) -> Effort:
        self.periods.append(dt_s)
        self.passed_over.append(passed_over)
        return super().begin(dt_s, config, passed_over)


def test_images_that_were_passed_over_do_not_lengthen_the_cameras_period(make_world, make_path
                                                                         ) -> None:
    world, control = make_world([make_path(60, 100, 20, 6)]), Noting()
    tracker = Tracker(CONFIG, effort=control)
    for index, passed_over in ((0, 0), (1, 0), (3, 1), (6, 2)):
        tracker.step(replace(world.pair(index), passed_over=passed_over), QUERIES)
    one = (world.pair(1).stamp_ns - world.pair(0).stamp_ns) * 1e-9
    assert control.periods == pytest.approx([0.0, one, one, one], rel=1e-3)
    assert control.passed_over == [0, 0, 1, 2]
