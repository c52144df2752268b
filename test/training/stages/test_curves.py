"""Curves of a stage from its log."""

from pathlib import Path

import pytest

from rtrack_ros.training.stages.curves import draw_curves, read_log

pytest.importorskip('matplotlib', reason='plots need the extra eval')


def test_a_resumed_run_overwrites_the_steps_it_repeats(tmp_path: Path) -> None:
    log = tmp_path / 'log.jsonl'
    log.write_text('{"stage": "a", "step": 1, "reward": 0.1}\n'
                   '{"stage": "a", "step": 2, "reward": 0.9, "loss": 1.0}\n'
                   '{"stage": "a", "step": 2, "reward": 0.2}\n')
    figures = read_log(log)
    assert figures == {'reward': [(1, 0.1), (2, 0.2)], 'loss': [(2, 1.0)]}


def test_only_what_was_logged_is_drawn() -> None:
    steps = [(step, step / 10) for step in range(20)]
    svg = draw_curves({'reward': steps, 'grad_norm': steps, 'loss': [(1, 1.0)]})
    assert svg.count('id="axes_') == 2
    assert draw_curves({}).startswith('<?xml')
