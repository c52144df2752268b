"""What thermal images bring: the same scenes and sentences, one sensor less."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip('trackeval', reason='scores need TrackEval')

from rtrack_ros.benchmarks.learning import thermal
from rtrack_ros.benchmarks.learning.streaming_score import (
    ScenePlan,
    relative_gain,
    without_thermal,
)
from rtrack_ros.data.pairs import DataError
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Grounding, OnAnswer
from rtrack_ros.language.queries import Query
from rtrack_ros.simulation import CONDITIONS

PLAN = ScenePlan(rounds=1, first_seed=9_400_100, seconds=1.0, fps=10, sentences=1, answer_s=0.2)


class SeesByHeat:
    """Answers with the truth of the scene it was made for, as long as there is a thermal image."""

    def __init__(self, plan: ScenePlan, number: int) -> None:
        scene = plan.draw(*plan.scenes()[number])
        self._stamps = scene.stamps_ns
        self._truth = {stream.query.text: stream.truth for stream in plan.streams(scene)}

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None) -> Answer:
        rows = self._truth[query.text].get(self._stamps.index(pair.stamp_ns) + 1, [])
        boxes = rows if pair.thermal is not None else []
        return Answer(pair.stamp_ns, query.id, query.epoch,
                      tuple(Grounding(row.box, 'person') for row in boxes))


@pytest.fixture(scope='module')
def trials() -> list[dict]:
    return [trial for number in range(2)
            for trial in thermal.run_scene(PLAN, number, SeesByHeat(PLAN, number))]


def test_every_condition_has_as_many_scenes() -> None:
    shown = [condition for _, condition in replace(PLAN, rounds=3).scenes()]
    assert all(shown.count(condition) == 3 for condition in CONDITIONS)
    assert len({seed for seed, _ in replace(PLAN, rounds=3).scenes()}) == len(shown)


def test_sentences_mean_an_object() -> None:
    scene = PLAN.draw(*PLAN.scenes()[0])
    streams = replace(PLAN, sentences=3).streams(scene)
    assert len({stream.query.text for stream in streams}) == 3
    assert all(len(stream.truth) >= 2 for stream in streams)  # frames with truth, of 10


def test_both_views_are_of_the_same_scenes_and_sentences(trials: list[dict]) -> None:
    asked = {view: [trial['sentence'] for trial in trials if trial['view'] == view]
             for view in (thermal.BOTH, thermal.RGB)}
    assert asked[thermal.BOTH] == asked[thermal.RGB] and len(asked[thermal.RGB]) == 2


def test_a_model_that_sees_by_heat_alone_scores_with_it_alone(trials: list[dict]) -> None:
    rows = thermal.summarise(trials)
    assert set(rows) == {thermal.ALL, *CONDITIONS[:2]}
    assert rows[thermal.ALL][thermal.BOTH]['hota'] > 50
    assert rows[thermal.ALL][thermal.RGB]['hota'] == 0 and rows[thermal.ALL]['gain'] is None
    table = thermal.thermal_table(rows, 'title')
    assert table.row_count == 3 and thermal.thermal_plot(rows).lstrip().startswith('<?xml')


def test_a_finished_scene_is_read_and_one_of_other_settings_refused(tmp_path: Path) -> None:
    grounder = SeesByHeat(PLAN, 0)
    first = thermal.finished_scene(tmp_path, PLAN, 'm', 0, grounder)
    # None cannot answer: what comes back was not run again.
    assert thermal.finished_scene(tmp_path, PLAN, 'm', 0, None) == json.loads(json.dumps(first))
    with pytest.raises(DataError, match='another plan'):
        thermal.finished_scene(tmp_path, replace(PLAN, seconds=3.0), 'm', 0, grounder)


def test_a_silent_thermal_camera_leaves_the_rest() -> None:
    scene = PLAN.draw(*PLAN.scenes()[0])
    stream = PLAN.streams(scene)[0]
    blind = without_thermal(stream)
    assert len(blind.pairs) == len(scene) and blind.pairs[3].thermal is None
    assert (blind.pairs[3].rgb == scene[3].rgb).all() and scene[3].thermal is not None
    assert blind.truth == stream.truth


@pytest.mark.parametrize('new, old, gain', [(33.0, 30.0, 0.1), (27.0, 30.0, -0.1),
                                            (1.0, 0.0, None)])
def test_relative_gain(new: float, old: float, gain: float | None) -> None:
    assert relative_gain(new, old) == gain
