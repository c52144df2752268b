"""The degraded truth: repeatable, and as bad as it is told to be."""

import numpy as np
import pytest

from rtrack_ros.boxes import iou
from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.streaming.oracle import Faults, Oracle
from rtrack_ros.language.queries import Query

QUERY = Query('default', 'the people', 1)
STAMPS = [index * 100_000_000 for index in range(400)]
MEANT = {number: [MotRow(number, 1, (40.0, 40.0, 80.0, 120.0)),
                  MotRow(number, 2, (200.0, 50.0, 260.0, 150.0))]
         for number in range(1, 401)}
OTHERS = {number: [MotRow(number, 3, (400.0, 60.0, 440.0, 160.0))] for number in range(1, 401)}


def make_oracle(faults: Faults, scene: int = 7) -> Oracle:
    return Oracle(scene, STAMPS, MEANT, OTHERS, (640, 480), faults)


def test_the_same_scene_sentence_and_frame_give_the_same_answer() -> None:
    first, second = make_oracle(Faults()), make_oracle(Faults())
    forward = [first.about(index, QUERY) for index in range(50)]
    backward = [second.about(index, QUERY) for index in reversed(range(50))]
    assert forward == backward[::-1]


def test_another_frame_sentence_or_scene_gives_other_faults() -> None:
    oracle = make_oracle(Faults())
    told = oracle.about(3, QUERY).answer.groundings
    assert told != oracle.about(4, QUERY).answer.groundings
    assert told != oracle.about(3, Query('default', 'the cars', 1)).answer.groundings
    assert told != make_oracle(Faults(), scene=8).about(3, QUERY).answer.groundings


def test_without_faults_it_tells_the_truth() -> None:
    oracle = make_oracle(Faults(miss_rate=0.0, false_rate=0.0, jitter=0.0))
    told = oracle.about(9, QUERY).answer
    assert told.stamp_ns == STAMPS[9] and told.epoch == QUERY.epoch
    assert {grounding.box for grounding in told.groundings} == {row.box for row in MEANT[10]}


def test_misses_false_boxes_and_jitter_come_at_their_rates() -> None:
    told = [make_oracle(Faults(0.2, 0.3, 0.05)).about(index, QUERY).answer.groundings
            for index in range(400)]
    truth = [row.box for row in MEANT[1]]
    overlaps = [iou([item.box for item in groundings], truth).max(axis=1, initial=0.0)
                for groundings in told]
    right = np.concatenate(overlaps) > 0.5
    assert right.sum() / 800 == pytest.approx(0.8, abs=0.05)
    assert (~right).sum() / 400 == pytest.approx(0.3, abs=0.07)
    assert 0.75 < np.concatenate(overlaps)[right].mean() < 0.95


def test_half_of_the_false_boxes_lie_on_another_object() -> None:
    told = [make_oracle(Faults(1.0, 1.0, 0.0)).about(index, QUERY).answer.groundings
            for index in range(200)]
    on_other = [item.box == OTHERS[1][0].box for groundings in told for item in groundings]
    assert np.mean(on_other) == pytest.approx(0.5, abs=0.1)


def test_boxes_stay_inside_the_image() -> None:
    edge = {1: [MotRow(1, 1, (0.0, 300.0, 60.0, 480.0))]}
    oracle = Oracle(1, STAMPS, edge, {}, (640, 480), Faults(0.0, 1.0, 0.3))
    for scene_frame in range(100):
        for item in oracle.about(0, Query('default', f'sentence {scene_frame}', 1)
                                 ).answer.groundings:
            x1, y1, x2, y2 = item.box
            assert 0 <= x1 < x2 <= 640 and 0 <= y1 < y2 <= 480


def test_impossible_rates_are_refused() -> None:
    with pytest.raises(ValueError, match='miss_rate'):
        Faults(miss_rate=1.5)
    with pytest.raises(ValueError, match='jitter'):
        Faults(jitter=-0.1)
