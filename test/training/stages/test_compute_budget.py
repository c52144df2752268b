"""Budgets of computing: when a stage ends, how fast it learns before, what a resumed one knows."""

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
pytest.importorskip('transformers', reason='learning needs the extra train (make test TORCH=1)')

from rtrack_ros.training.stages.compute_budget import ComputeBudget


class Clock:
    """Processor seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def trainer_state(step: int, folder: Path) -> tuple:
    return (SimpleNamespace(output_dir=str(folder)),
            SimpleNamespace(global_step=step, is_world_process_zero=True),
            SimpleNamespace(should_training_stop=False))


def test_a_stage_ends_with_its_budget(tmp_path: Path) -> None:
    clock = Clock()
    budget = ComputeBudget(10, clock=clock)
    clock.now += 50  # building the trainer is no training
    args, state, control = trainer_state(0, tmp_path)
    budget.on_train_begin(args, state, control)
    for seconds, ends in ((4, False), (5.9, False), (0.1, True)):
        clock.now += seconds
        budget.on_step_end(args, state, control)
        assert control.should_training_stop == ends
    logs = {'loss': 1.0}
    budget.on_log(args, state, control, logs=logs)
    assert logs['compute_s'] == 10.0


@pytest.mark.parametrize('spent, rate', [(0, 1.0), (5, 1.0), (7.5, 0.5), (10, 0.0), (12, 0.0)])
def test_the_learning_rate_falls_over_the_second_half(tmp_path: Path, spent: float, rate: float
                                                      ) -> None:
    clock = Clock()
    budget = ComputeBudget(10, fall=0.5, clock=clock)
    args, state, control = trainer_state(0, tmp_path)
    budget.on_train_begin(args, state, control)
    clock.now += spent
    optimizer = SimpleNamespace(param_groups=[{'lr': 0.2}, {'lr': 0.1}])
    budget.on_step_begin(args, state, control, optimizer=optimizer)
    assert [group['lr'] for group in optimizer.param_groups] == pytest.approx(
        [0.2 * rate, 0.1 * rate])
    logs = {'learning_rate': 0.2}
    budget.on_log(args, state, control, logs=logs)
    assert logs['learning_rate'] == pytest.approx(0.2 * rate)


def test_a_stage_that_resumes_goes_on_counting(tmp_path: Path) -> None:
    clock = Clock()
    first = ComputeBudget(10, clock=clock)
    args, state, control = trainer_state(0, tmp_path)
    first.on_train_begin(args, state, control)
    clock.now += 6
    (tmp_path / 'checkpoint-3').mkdir()
    args, state, control = trainer_state(3, tmp_path)
    first.on_save(args, state, control)
    second = ComputeBudget(10, clock=clock)
    clock.now += 100
    second.on_train_begin(args, state, control)
    assert second.spent_s == pytest.approx(6)


@pytest.mark.parametrize('options', [{'seconds': 0}, {'seconds': 5, 'fall': 0}])
def test_budgets_that_cannot_be_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match='budget'):
        ComputeBudget(**options)
