"""Curves of a stage from its log."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from rtrack_ros.training.stages.curves import curves_figure, draw_curves, read_log

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
    figure = curves_figure({'reward': steps, 'grad_norm': steps, 'loss': [(1, 1.0)]})
    assert [axes.get_ylabel() for axes in figure.axes] == ['reward', 'gradient norm']
    raw, smooth = figure.axes[0].get_lines()
    assert raw.get_xydata().tolist() == [list(step) for step in steps]
    # The thick line is the mean over 15 steps, at the last of them.
    np.testing.assert_allclose(smooth.get_xydata()[0], [14, 0.7])


def test_a_log_without_figures_is_an_empty_picture() -> None:
    assert curves_figure({}).axes == []
    assert ElementTree.fromstring(draw_curves({})).tag.endswith('svg')
