"""Arms at equal compute: what each is given, what is kept, and what the table says."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtrack_ros.benchmarks.learning import reinforcement as arms
from rtrack_ros.benchmarks.learning.cache import kept
from rtrack_ros.data.pairs import DataError
from rtrack_ros.training.configs import shipped_config
from rtrack_ros.training.stages.settings import read_stages


@pytest.fixture
def stages() -> dict:
    return {arms.SUPERVISED: read_stages(shipped_config('nano_sft'))[0],
            arms.REINFORCED: read_stages(shipped_config('nano_gspo'))[0]}


def run(method: str, f1: float, hota: float, seed: int = 0) -> dict:
    return {'method': method, 'seed': seed, 'compute_s': 61.0, 'steps': 20,
            **dict.fromkeys(arms.SHOWN, 0.5), 'f1': f1, 'hota': hota}


def test_arms_of_a_seed_differ_in_method_alone(stages: dict) -> None:
    found = list(arms.arms(stages, arms.Budget(60.0, 2)))
    assert [method for method, _ in found] == [arms.SUPERVISED, arms.REINFORCED] * 2
    assert len({stage.name for _, stage in found}) == 4
    for first, second in zip(found[::2], found[1::2], strict=True):
        supervised, reinforced = first[1], second[1]
        assert supervised.compute_s == reinforced.compute_s == 60.0
        assert supervised.trainer['seed'] == reinforced.trainer['seed']
        assert supervised.data.seed == reinforced.data.seed
        assert supervised.model == reinforced.model
        assert supervised.method == 'sft' and reinforced.advantages.reading == 'scale'
    assert found[0][1].data.seed != found[2][1].data.seed


def course(out: Path, measure=dict, **settings) -> arms.Course:
    return arms.Course(out / 'model', 'simulation', out, measure, settings)


def first_arm(stages: dict, compute_s: float):
    return next(arms.arms(stages, arms.Budget(compute_s, 1)))


def test_an_arm_that_is_finished_is_not_run_again(stages: dict, tmp_path: Path) -> None:
    method, stage = first_arm(stages, 60.0)
    scores = run(method, 0.6, 30.0)
    kept(tmp_path / stage.name / 'scores.json', {'scenes': 3, 'compute_s': 60.0}, lambda: scores)
    # There is no model to train: what comes back was read.
    assert course(tmp_path, scenes=3).run(method, stage) == scores
    with pytest.raises(DataError, match='another compute_s'):
        course(tmp_path, scenes=3).run(*first_arm(stages, 90.0))
    with pytest.raises(DataError, match='another scenes'):
        course(tmp_path, scenes=4).run(method, stage)


def test_an_arm_is_trained_for_its_budget_and_measured(stages: dict, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []

    def run_stages(stages, model: Path, source: str, out: Path) -> Path:
        trained.extend((stages, model, source))
        (out / stages[0].name).mkdir()
        (out / stages[0].name / 'log.jsonl').write_text('{"step": 7, "compute_s": 60.2}\n')
        return out / stages[0].name / 'model'

    monkeypatch.setitem(sys.modules, 'rtrack_ros.training.stages.run',
                        SimpleNamespace(run_stages=run_stages))
    method, stage = first_arm(stages, 60.0)
    found = course(tmp_path, lambda folder: {'f1': 0.7, 'from': folder.parts[-2]}
                   ).run(method, stage)
    assert trained == [[stage], tmp_path / 'model', 'simulation']
    assert found == {'method': method, 'compute_s': 60.2, 'steps': 7, 'f1': 0.7,
                     'from': stage.name}


def test_the_weights_all_arms_start_from_are_measured_once(tmp_path: Path) -> None:
    asked: list[Path] = []

    def measure(model: Path) -> dict:
        asked.append(model)
        return {'f1': 0.5}

    first, second = (course(tmp_path, measure).start() for _ in range(2))
    assert first == second and first['f1'] == 0.5 and asked == [tmp_path / 'model']


def test_what_was_spent_is_read_from_the_log(tmp_path: Path) -> None:
    log = tmp_path / 'log.jsonl'
    log.write_text('\n'.join(map(json.dumps, (
        {'step': 1, 'compute_s': 2.5}, {'step': 2, 'compute_s': 5.0}, {'step': 2}))))
    assert arms.spent_on(log) == {'compute_s': 5.0, 'steps': 2}


@pytest.mark.parametrize('f1, hota, said', [
    ((0.66, 0.68), (33.0, 33.0), 'at least 5 %'), ((0.60, 0.62), (33.0, 33.0), 'NOT the 5 %'),
    ((0.66, 0.68), (30.0, 30.0), 'NOT the 5 %')])
def test_the_verdict_follows_both_scores(f1: tuple, hota: tuple, said: str) -> None:
    runs = [run(arms.START, 0.6, 30.0)]
    runs += [run(arms.SUPERVISED, value, 30.0) for value in (0.6, 0.62)]
    runs += [run(arms.REINFORCED, *values) for values in zip(f1, hota, strict=True)]
    summary = arms.summarise(runs)
    assert summary['rows'][arms.SUPERVISED]['f1'] == {'mean': 0.61, 'lowest': 0.6,
                                                      'highest': 0.62}
    assert said in arms.verdict(summary)
    assert arms.reinforcement_table(summary, 'title').row_count == 3
    assert arms.reinforcement_plot(runs).lstrip().startswith('<?xml')


def test_no_verdict_without_both_methods() -> None:
    assert 'no gain' in arms.verdict(arms.summarise([run(arms.START, 0.6, 30.0)]))
