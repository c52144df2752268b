"""The streaming benchmark on a scene of a second: what is run, kept, pooled, drawn and refused."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.benchmarks.tracking.delay_plot import STYLES, delay_figure, write_delay_plot
from rtrack_ros.benchmarks.tracking.drawn_scenes import DrawnScene, draw
from rtrack_ros.benchmarks.tracking.plan import Plan, choose_expressions, combinations, run_scene
from rtrack_ros.benchmarks.tracking.results import TrialFolder, as_json, summarise
from rtrack_ros.data.pairs import DataError
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.evaluation.streaming.latency import PUBLISHED, AtOnce, Fixed
from rtrack_ros.evaluation.streaming.model_answers import ModelAnswers
from rtrack_ros.evaluation.streaming.protocol import FixedTime
from rtrack_ros.evaluation.streaming.trials import Trial
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.queries import Query
from rtrack_ros.simulation import CONDITIONS, make_scene

ORIN = PUBLISHED['orin-qwen3vl-2b-int4']
PLAN = Plan(ORIN, 2, 9_400_020, seconds=1.0, sentences=2, delays_s=(0.0, 0.5), sweep_scenes=1,
            methods=('static first box', 'blocking model', 'Kalman only', 'rtrack_ros'),
            cost=FixedTime(0.004))


@pytest.fixture(scope='module')
def scene() -> DrawnScene:
    small = make_scene(9_400_020, 1.0, conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    return draw(small, small)


@pytest.fixture(scope='module')
def trials(scene: DrawnScene) -> list[Trial]:
    return list(run_scene(PLAN, 0, scene, {'oracle': None}))


def test_all_weathers_come_in_turn() -> None:
    shown = {name for number in range(3) for name in PLAN.scene(number).conditions}
    assert shown == set(CONDITIONS)
    assert PLAN.scene(1).seed == PLAN.first_seed + 1


def test_sentences_are_of_different_kinds_and_the_same_every_time(scene: DrawnScene) -> None:
    chosen = choose_expressions(scene, 4)
    assert len({item.kind for item in chosen}) == 4
    assert chosen == choose_expressions(scene, 4)


def test_nothing_is_run_twice_and_ours_gets_its_two_bounds() -> None:
    table, swept = combinations(PLAN, False), combinations(PLAN, True)
    assert len(set(swept)) == len(swept)
    assert [profile.name for method, profile in table if method == 'rtrack_ros'] == [
        ORIN.name, f'{ORIN.name}, answers at once', '0 s']
    assert ('blocking model', Fixed(0.5)) in swept
    assert ('static first box', Fixed(0.5)) not in swept
    assert ('rtrack_ros', AtOnce(Fixed(0.5))) in swept
    assert ('rtrack_ros', AtOnce(Fixed(0.0))) not in swept


def test_the_table_pools_scenes_and_compares_ours(scene: DrawnScene, trials: list[Trial]) -> None:
    summary = summarise(PLAN, [trials, trials])
    assert [row.method for row in summary.rows] == [*PLAN.methods, 'rtrack_ros', 'rtrack_ros']
    assert all(row.trials == 4 for row in summary.rows)
    boxes = sum(len(rows) for item in choose_expressions(scene, 2)
                for rows in scene.meant(item).values())
    assert all(row.scores.truth_boxes == 2 * boxes for row in summary.rows)
    ours = summary.find('oracle', 'rtrack_ros', ORIN.name)
    ceiling = summary.find('oracle', 'rtrack_ros', '0 s')
    assert ours is not None and ceiling is not None and ceiling.delay_s == 0 < ours.delay_s
    assert summary.ratios('oracle', ORIN.name)['hota_to_ceiling'] == pytest.approx(
        ours.scores.hota / ceiling.scores.hota, abs=1e-3)
    assert {row.profile for row in summary.sweep} == {
        '0 s', '0.5 s', '0.5 s, answers at once'}
    labels = [row.label for row in summary.sweep
              if row.engine == '0.5 s' and row.method == 'rtrack_ros']
    assert labels == ['rtrack_ros', 'rtrack_ros, no delay']
    assert as_json(PLAN, summary, 2)['sweep_scenes'] == 1


def test_more_draws_have_other_faults_and_leave_the_sweep_alone(scene: DrawnScene,
                                                                trials: list[Trial]) -> None:
    plan = replace(PLAN, draws=2)
    twice = list(run_scene(plan, 0, scene, {'oracle': None}))
    assert [trial for trial in twice if trial.draw == 0] == trials
    second = [trial for trial in twice if trial.draw == 1]
    assert {trial.profile for trial in second} == {
        ORIN.name, f'{ORIN.name}, answers at once', '0 s'}
    first = {(trial.sentence, trial.method, trial.profile): trial.counts for trial in trials}
    assert any(first[trial.sentence, trial.method, trial.profile] != trial.counts
               for trial in second)
    summary = summarise(plan, [twice])
    assert all(row.trials == 4 for row in summary.rows)
    assert all(row.trials == 2 for row in summary.sweep)


def test_a_stopped_benchmark_goes_on_where_it_was(trials: list[Trial], tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path, PLAN, ['oracle'])
    assert folder.load(0) is None
    folder.save(0, trials)
    assert TrialFolder(tmp_path, PLAN, ['oracle']).load(0) == trials
    with pytest.raises(DataError, match='--resume'):
        TrialFolder(tmp_path, replace(PLAN, sentences=3), ['oracle']).load(0)
    folder.clear()
    assert folder.load(0) is None


def test_fixed_costs_make_a_run_repeatable(scene: DrawnScene, trials: list[Trial]) -> None:
    again = next(run_scene(replace(PLAN, methods=('rtrack_ros',)), 1, scene, {'oracle': None}))
    first = next(trial for trial in trials if trial.method == 'rtrack_ros')
    assert again == first


def test_the_plot_has_a_line_for_every_method(trials: list[Trial], tmp_path: Path) -> None:
    rows = summarise(PLAN, [trials]).sweep
    axes, = delay_figure(rows).axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}
    assert set(lines) == {row.label for row in rows} & set(STYLES)
    assert {'rtrack_ros', 'blocking model', 'Kalman only', 'rtrack_ros, no delay'} <= set(lines)
    assert lines['blocking model'] == sorted(
        [row.delay_s, row.scores.hota] for row in rows if row.label == 'blocking model')
    path = write_delay_plot(rows, tmp_path / 'delay.svg')
    assert ElementTree.parse(path).getroot().tag.endswith('svg')


def test_a_scene_on_the_disk_is_the_scene_in_memory(scene: DrawnScene, tmp_path: Path) -> None:
    small = make_scene(9_400_020, 1.0, conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    draw(small, small, tmp_path)
    read = draw(small, iter(()), tmp_path)
    assert read.truth == scene.truth and len(read) == len(scene) == 10
    assert (read[7].rgb == scene[7].rgb).all()
    assert read[7].thermal is not None and (read[7].thermal == scene[7].thermal).all()
    assert read[7].thermal.shape == (120, 160)


def test_a_model_is_asked_once_about_a_pair_and_its_failures_are_kept(scene: DrawnScene) -> None:
    engine = ScriptedEngine(['[{"bbox_2d": [100, 100, 200, 300], "label": "car"}]', 'nonsense'])
    answers, query = ModelAnswers(Grounder(engine), scene), Query('default', 'the car', 1)
    first = answers.about(3, query)
    assert first.understood and first.answer.groundings[0].box == (16.0, 12.0, 32.0, 36.0)
    assert answers.about(3, query) is first and engine.calls == 1
    failed = answers.about(4, query)
    assert not failed.understood and failed.answer.latency_ms > 0
    assert answers.about(4, query) is failed and engine.calls == 2
