"""Runs with a detector and a judge, in virtual time."""

import numpy as np
import pytest

from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.streaming.detecting import OursDetecting
from rtrack_ros.evaluation.streaming.judging import JudgingOracle, SimulatedDetector
from rtrack_ros.evaluation.streaming.latency import PUBLISHED, AtOnce, Fixed, verify_s
from rtrack_ros.evaluation.streaming.oracle import Faults
from rtrack_ros.evaluation.streaming.protocol import FixedTime, Inference, Stream, replay
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.queries import Query

QUERY = Query('default', 'the person in red', 1)
STAMPS = [index * 33_333_333 for index in range(60)]
SIZE = (320, 240)
NONE = Faults(0.0, 0.0, 0.0)
RED, OTHER = (40.0, 40.0, 80.0, 120.0), (200.0, 60.0, 240.0, 140.0)


def rows(*boxes) -> dict[int, list[MotRow]]:
    return {frame: [MotRow(frame, number, box) for number, box in enumerate(boxes, start=1)]
            for frame in range(1, len(STAMPS) + 1)}


def oracle(faults: Faults = NONE, seed: int = 0) -> JudgingOracle:
    return JudgingOracle(5, STAMPS, rows(RED), {}, SIZE, faults, seed)


class Recorder(OursDetecting):
    """Notes when what came, and asks as it is told."""

    def __init__(self, ask=()) -> None:
        super().__init__()
        self.ask, self.seen, self.verdicts, self.answers = ask, [], [], 0

    def on_detections(self, detections) -> None:
        self.seen.append(detections)

    def choose(self, pair, query):
        return self.ask

    def on_verdict(self, verdict) -> None:
        self.verdicts.append(verdict)

    def on_answer(self, answer):
        self.answers += 1


def stream() -> Stream:
    grey = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    pairs = [FramePair(stamp, grey, None) for stamp in STAMPS]
    return Stream('red', QUERY, pairs, STAMPS, STAMPS, rows(RED))


def test_a_perfect_detector_sees_all_objects_at_its_rate() -> None:
    sets = SimulatedDetector(STAMPS, rows(RED, OTHER), SIZE, 5, NONE).sets()
    assert len(sets) == pytest.approx(len(STAMPS) / 3, abs=1)
    for available_ns, detections in sets:
        assert available_ns == detections.stamp_ns + 30_000_000
        assert {item.box for item in detections.detections} == {RED, OTHER}


def test_a_faulty_detector_misses_as_often_as_it_should() -> None:
    sets = SimulatedDetector(STAMPS, rows(*[RED] * 20), SIZE, 5, Faults(0.15, 0.0, 0.0)).sets()
    seen = np.mean([len(detections.detections) for _, detections in sets])
    assert seen == pytest.approx(17, abs=1)


def test_the_oracle_affirms_what_is_meant_and_denies_the_rest() -> None:
    assert oracle().judge(3, QUERY, (42.0, 41.0, 82.0, 121.0)) > 0.8
    assert oracle().judge(3, QUERY, OTHER) < 0.2


def test_the_same_object_gets_the_same_verdict_from_a_faulty_oracle() -> None:
    faulty = oracle(Faults(0.5, 0.5, 0.0))
    first = [faulty.judge(index, QUERY, RED) for index in range(60)]
    again = [faulty.judge(index, QUERY, (41.0, 40.0, 80.0, 121.0)) for index in range(60)]
    assert first == again and 10 < sum(item > 0.5 for item in first) < 50


def test_detections_arrive_in_order_and_only_where_they_are_used() -> None:
    sets = SimulatedDetector(STAMPS, rows(RED), SIZE, 5, NONE).sets()
    method = Recorder()
    replay(stream(), method, oracle(), Fixed(0.5), FixedTime(0.0), sets)
    assert method.seen == [detections for _, detections in sets]


def test_a_chosen_object_is_judged_instead_of_grounded() -> None:
    method = Recorder(ask=((7, RED), (8, OTHER)))
    outcome = replay(stream(), method, oracle(), Fixed(0.25), FixedTime(0.0))
    assert method.answers == 0 and outcome.questions == len(method.verdicts) // 2
    assert {verdict.track_id for verdict in method.verdicts if verdict.probability > 0.5} == {7}
    assert set(outcome.delays_s) == {0.5}, 'two objects take the time of two'


def test_without_a_judge_the_sentence_is_grounded() -> None:
    class Mute:
        def about(self, index, query) -> Inference:
            return Inference(Answer(STAMPS[index], query.id, query.epoch, ()))

    method = Recorder(ask=((7, RED),))
    replay(stream(), method, Mute(), Fixed(0.25), FixedTime(0.0))
    assert method.answers > 3 and method.verdicts == []


@pytest.mark.parametrize('name', sorted(PUBLISHED))
def test_a_word_about_an_object_takes_less_than_writing_a_box(name) -> None:
    profile = PUBLISHED[name]
    one, four = verify_s(profile, 1), verify_s(profile, 4)
    assert 0 < one < four < 4 * one, 'the text is read once'
    assert one < profile.delay_s(Answer(0, '', 0, ()))
    assert verify_s(AtOnce(profile), 4) == 0.0
