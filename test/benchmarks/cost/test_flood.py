"""What strangers send is what the node refuses, and the verdict sees every promise that fails."""

from dataclasses import replace

import cv2
import pytest

pytest.importorskip('rclpy', reason='strangers are a node')

from rtrack_ros.benchmarks.cost.flood import FloodRun, lines, verdict
from rtrack_ros.benchmarks.cost.strangers import BOMB_SIDE, png_bomb
from rtrack_ros.intake.encodings import ConversionError
from rtrack_ros.intake.messages import decode_image

ALONE = FloodRun(600, 600, 2.0, 400.0, 0.1, {})
FLOODED = FloodRun(600, 599, 1.2, 440.0, 0.4, {
    'describe': 200, 'describe answered': 199, 'initialize': 100, 'initialize answered': 100})


def test_the_bomb_is_small_and_is_refused_for_its_size() -> None:
    bomb = png_bomb(BOMB_SIDE)
    assert len(bomb) < 200_000
    with pytest.raises(ConversionError, match='30000x30000 pixels'):
        decode_image(bomb, cv2.IMREAD_UNCHANGED, 'bomb')


def test_all_promises_hold() -> None:
    assert all(holds for *_, holds in verdict(ALONE, FLOODED))
    assert not any('FAILS' in line for line in lines(ALONE, FLOODED))


@pytest.mark.parametrize('worse, failing', [
    ({'published': 500}, 'arrays'), ({'own_answers_hz': 0.9}, 'own sentence'),
    ({'peak_mib': 600.0}, 'memory'), ({'log_mib': 6.0}, 'log'),
    ({'tally': {'describe': 100, 'describe answered': 50, 'initialize': 1,
                'initialize answered': 1}}, 'calls')])
def test_every_promise_that_fails_is_seen(worse: dict, failing: str) -> None:
    failed = [what for what, *_, holds in verdict(ALONE, replace(FLOODED, **worse)) if not holds]
    assert len(failed) == 1 and failing in failed[0]
