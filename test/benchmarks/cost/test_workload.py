"""The crowd stays in view, the answers name it, and both are the same every time."""

import pytest

from rtrack_ros.benchmarks.cost import workload
from rtrack_ros.benchmarks.cost.workload import (
    ANSWER_DELAY,
    ANSWER_PERIOD,
    AnswerScript,
    Workload,
    crowd_scene,
)
from rtrack_ros.boxes import iou
from rtrack_ros.data.pairs import DataError
from rtrack_ros.simulation import SimFrame

SIZE = (320, 240)
FRAMES = 50


@pytest.fixture(scope='module')
def frames() -> list[SimFrame]:
    scene = crowd_scene(5, SIZE, FRAMES, 6)
    return [scene.frame(index) for index in range(FRAMES)]


def test_everybody_of_the_crowd_is_there_and_apart_from_the_others(frames: list[SimFrame]) -> None:
    for frame in (frames[0], frames[-1]):
        assert sorted(item.id for item in frame.objects) == [1, 2, 3, 4, 5, 6]
        boxes = [item.box for item in frame.objects]
        overlap = iou(boxes, boxes)
        assert all(overlap[row, column] <= 0.5 for row in range(6) for column in range(row))
    assert frames[0].rgb.shape == (240, 320, 3) and frames[0].thermal.shape == (120, 160)


def test_the_same_seed_draws_the_same_crowd(frames: list[SimFrame]) -> None:
    again = crowd_scene(5, SIZE, FRAMES, 6)
    assert again.frame(7).objects == frames[7].objects
    assert crowd_scene(6, SIZE, FRAMES, 6).frame(7).objects != frames[7].objects


def test_a_crowd_that_finds_no_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workload, '_MAX_CASTS', 3)
    with pytest.raises(DataError, match='of 200 find room in 320x240'):
        crowd_scene(5, SIZE, 3, 200)


def test_answers_deal_the_objects_to_the_queries_and_come_late(frames: list[SimFrame]) -> None:
    script = AnswerScript(frames, Workload(SIZE, 5, 2))
    first = list(script.due(0))
    assert [answer.query_id for answer in first] == ['q0', 'q1']
    assert [len(answer.groundings) for answer in first] == [3, 2]
    truth = {item.id: item.box for item in frames[0].objects}
    assert {item.box for answer in first for item in answer.groundings} == {
        truth[name] for name in range(1, 6)}
    later = {index: list(script.due(index)) for index in range(1, FRAMES)}
    due = {index: answers for index, answers in later.items() if answers}
    assert set(due) == {ANSWER_DELAY + ANSWER_PERIOD // 2, ANSWER_DELAY + ANSWER_PERIOD}
    for index, (answer,) in due.items():
        assert answer.stamp_ns == frames[index - ANSWER_DELAY].stamp_ns


def test_a_detector_sees_the_tracked_objects_only(frames: list[SimFrame]) -> None:
    script = AnswerScript(frames, Workload(SIZE, 2, 1))
    assert script.boxes(3) == [item.box for item in frames[3].objects if item.id <= 2]
