"""Following by locate alone: an oracle is perfect, who never moves is the baseline."""

from collections.abc import Callable

import pytest

from rtrack_ros.benchmarks.tasks.locating import (
    FollowedTarget,
    SightedTarget,
    follow_targets,
    locate_scores,
    scene_plan,
)
from rtrack_ros.engines.base import EngineError
from rtrack_ros.evaluation.metrics.presence import Presence
from rtrack_ros.evaluation.metrics.single_object import TargetRun, pool_targets
from rtrack_ros.language.answers import Box, Grounding
from rtrack_ros.simulation import CONDITIONS, ObjectTruth, make_scene

SEED, SECONDS = 9_700_004, 1.5


class Scripted:
    """A locator that answers by a function of the first box, the believed one and the stamp.

    The tracker, which sets no deadline, gets an answer only where that is wanted.
    """

    def __init__(self, answer: Callable[[Box, Box, int], Box | None],
                 to_tracker: bool = False) -> None:
        self.answer, self.to_tracker = answer, to_tracker
        self.believed: list[Box] = []
        self.stamps: list[int] = []

    def template(self, pair, box):
        return box

    def window(self, pair, believed):
        return 0, 0, pair.width, pair.height

    def locate(self, template, pair, believed, deadline_s=None):
        if deadline_s is None:
            box = self.answer(template, believed, pair.stamp_ns) if self.to_tracker else None
            return None if box is None else Grounding(box, 'person')
        self.believed.append(believed)
        self.stamps.append(pair.stamp_ns)
        box = self.answer(template, believed, pair.stamp_ns)
        return None if box is None else Grounding(box, 'person')


def follow(answer: Callable[[Box, Box, int], Box | None],
           to_tracker: bool = False) -> tuple[list[FollowedTarget], Scripted]:
    locator = Scripted(answer, to_tracker)
    return follow_targets(locator, SEED, 'day', SECONDS, 9.0), locator


@pytest.fixture(scope='module')
def truth() -> dict[int, dict[int, Box]]:
    scene = make_scene(SEED, SECONDS, conditions=('day',))
    return {frame.stamp_ns: {item.id: item.box for item in frame.objects}
            for frame in (scene.frame(index) for index in range(0, len(scene), 3))}


def test_an_oracle_has_full_overlap_and_the_static_box_has_less(truth) -> None:
    first = truth[0]

    def oracle(template, believed, stamp):
        name = next(name for name, box in first.items() if box == pytest.approx(template))
        return truth[stamp].get(name)
    followed, locator = follow(oracle, to_tracker=True)
    scores = locate_scores(followed)
    assert scores['all']['ao'] == pytest.approx(1.0) and scores['all']['sr50'] == 1.0
    assert scores['all']['static']['ao'] < 0.95 and set(scores['by_condition']) == {'day'}
    assert scores['all']['static']['ao'] < scores['all']['tracked']['ao'] < 1.0
    assert len(followed) == 2 and len(set(locator.stamps)) == 14
    assert sorted(set(locator.stamps))[0] == pytest.approx(1e8, rel=1e-6)


def test_the_window_follows_the_answers_and_stays_where_the_target_was_last() -> None:
    boxes = iter([(1.0, 2.0, 30.0, 40.0), None, (5.0, 6.0, 35.0, 46.0)] * 30)
    followed, locator = follow(lambda *_: next(boxes))
    mine = locator.believed[::2]
    seconds = [box for box in (item.answers.told for item in followed)]
    assert mine[0] == seconds[0][0]
    for before, told, after in zip(mine, seconds[0][1:], mine[1:], strict=False):
        assert after == (before if told is None else told)


def test_who_believes_and_never_moves_is_the_baseline() -> None:
    followed, _ = follow(lambda template, believed, stamp: believed)
    scores = locate_scores(followed)['all']
    assert scores['ao'] == scores['static']['ao'] and scores['sr50'] == scores['static']['sr50']


def test_unusable_answers_count_as_gone() -> None:
    class Failing(Scripted):
        def locate(self, *args):
            raise EngineError('too late')
    scores = locate_scores(follow_targets(Failing(None), SEED, 'day', SECONDS, 9.0))
    assert scores['all']['ao'] == 0 and scores['all']['presence']['recall'] == 0
    assert scores['unusable'] == 28


def test_the_plan_has_every_condition_equally_often_and_every_seed_once() -> None:
    plan = scene_plan(3, 100)
    assert [condition for _, condition in plan] == list(CONDITIONS) * 3
    assert [seed for seed, _ in plan] == list(range(100, 118))


def item(visibility: float, height: float = 40.0) -> ObjectTruth:
    return ObjectTruth(1, 'person', (0.0, 0.0, 20.0, height), visibility)


def test_what_nobody_can_decide_counts_neither_for_nor_against() -> None:
    frames = [SightedTarget(item(1.0)), SightedTarget(item(0.9)), SightedTarget(item(0.1)),
              SightedTarget(item(0.8, 10.0)), SightedTarget(None)]
    always = TargetRun(frames, [(0.0, 0.0, 20.0, 40.0)] * 5, (100, 100))
    scores = pool_targets('always', [always])
    assert scores.frames == 1 and scores.ao == pytest.approx(1.0)
    assert scores.presence == Presence(present_reported=1, absent_reported=1)
