"""Virtual time: what is published late is scored late, by exactly as much."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.metrics.hota import evaluate_sequences
from rtrack_ros.evaluation.streaming.latency import AtOnce, Fixed, LatencyProfile
from rtrack_ros.evaluation.streaming.protocol import (
    Array,
    FixedTime,
    Inference,
    Method,
    ProcessorTime,
    Replay,
    Stream,
    replay,
    score_replay,
)
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Box, Grounding
from rtrack_ros.language.queries import Query

QUERY = Query('default', 'the car', 1)
STEP_NS = 100_000_000
FRAMES = 30


def box_at(index: int) -> Box:
    """Return the place of a car that moves by a tenth of its width from frame to frame."""
    return 10.0 + 4.0 * index, 20.0, 50.0 + 4.0 * index, 60.0


def make_stream(frames: int = FRAMES) -> Stream:
    image = np.zeros((80, 200, 3), np.uint8)
    stamps = [index * STEP_NS for index in range(frames)]
    return Stream('car', QUERY, [FramePair(stamp_ns, image, None) for stamp_ns in stamps], stamps,
                  stamps, {index + 1: [MotRow(index + 1, 1, box_at(index))]
                           for index in range(frames)})


class Truthful:
    """An engine that always sees the car."""

    def about(self, index: int, query: Query) -> Inference:
        return Inference(Answer(index * STEP_NS, query.id, query.epoch,
                            (Grounding(box_at(index), 'car'),)))


class Speechless(Truthful):
    """An engine whose texts are no answers."""

    def about(self, index: int, query: Query) -> Inference:
        return Inference(Answer(index * STEP_NS, query.id, query.epoch, ()), understood=False)


@dataclass
class Scripted:
    """Publishes the truth of a pair at once, or the boxes of answers as they come."""

    on_pair: bool = True
    wants_partial: bool = False
    seen: list[int] = field(default_factory=list)
    inference: list[int] = field(default_factory=list)
    partial: list[tuple[int, int]] = field(default_factory=list)

    def on_frame(self, pair: FramePair, query: Query) -> Array | None:
        index = pair.stamp_ns // STEP_NS
        self.seen.append(index)
        return ((1, box_at(index)),) if self.on_pair else None

    def on_answer(self, answer: Answer) -> Array | None:
        if answer.partial:
            self.partial.append((answer.stamp_ns // STEP_NS, len(answer.groundings)))
            return None
        self.inference.append(answer.stamp_ns // STEP_NS)
        return None if self.on_pair else tuple(
            (1, grounding.box) for grounding in answer.groundings)


def run(method: Method, profile: LatencyProfile | None = None, cost_s: float = 0.0) -> Replay:
    return replay(make_stream(), method, Truthful(), profile or Fixed(0.0), FixedTime(cost_s))


def test_perfect_boxes_published_at_once_score_one_hundred() -> None:
    outcome = run(Scripted())
    scores = evaluate_sequences({'car': score_replay(make_stream(), outcome)})
    assert scores.hota == pytest.approx(100) and scores.idf1 == pytest.approx(100)


@pytest.mark.parametrize(('cost_s', 'lag'), [(0.0, 0), (0.001, 1), (0.1, 1), (0.101, 2)])
def test_own_work_shifts_boxes_by_whole_frames(cost_s: float, lag: int) -> None:
    """A pair that takes longer than a frame makes the next one wait, and is old by then."""
    newest = run(Scripted(), cost_s=cost_s).newest_at(make_stream().instants_ns)
    lags = [index - round((boxes[0][1][0] - 10) / 4)
            for index, boxes in enumerate(newest) if boxes]
    assert max(lags) == lag
    assert newest[0] == (((1, box_at(0)),) if lag == 0 else ())


def test_an_engine_delay_shifts_what_a_blocking_method_shows() -> None:
    method = Scripted(on_pair=False)
    outcome = run(method, Fixed(0.3))
    newest = outcome.newest_at(make_stream().instants_ns)
    assert newest[:3] == [(), (), ()]
    # Asked about frames 0, 3, 6, ..., and once more about the last when no other came; each answer
    # stands for three frames, three frames late.
    assert method.inference == [*range(0, FRAMES, 3), FRAMES - 1]
    for index in range(3, FRAMES):
        assert newest[index] == ((1, box_at(index // 3 * 3 - 3)),)
    scores = evaluate_sequences({'car': score_replay(make_stream(), outcome)})
    assert scores.recall < 80 and scores.idf1 < 80


def test_the_engine_takes_the_newest_pair_when_it_is_free() -> None:
    method = Scripted()
    outcome = run(method, Fixed(0.25))
    # Free again at 250 ms, when frame 2 is the newest; then at 500 ms, when frame 5 just came.
    assert method.inference[:4] == [0, 2, 5, 7]
    assert outcome.questions == len(method.inference)
    assert outcome.delays_s == [0.25] * outcome.questions


def test_answers_at_once_are_about_the_same_frames_as_late_ones() -> None:
    late, prompt = Scripted(on_pair=False), Scripted(on_pair=False)
    run(late, Fixed(0.25))
    outcome = run(prompt, AtOnce(Fixed(0.25)))
    assert prompt.inference == late.inference
    assert [publication.available_ns // STEP_NS for publication in outcome.publications
            ] == [0, 2, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 30]
    assert outcome.newest_at(make_stream().instants_ns)[0] == ((1, box_at(0)),)


def test_pairs_that_own_work_left_no_time_for_are_skipped_and_counted() -> None:
    method = Scripted()
    outcome = run(method, Fixed(100.0), cost_s=0.25)
    assert method.seen[:5] == [0, 2, 5, 7, 10]
    assert outcome.skipped == FRAMES - len(method.seen)


def test_work_on_answers_delays_answers_and_holds_up_no_pair() -> None:
    class SlowAnswers(FixedTime):
        """Charges an answer and nothing else."""

        def __call__(self, work: Callable[[], Any]) -> tuple[Any, float]:
            result = work()
            return result, self.seconds if result is None else 0.0

    method = Scripted()
    outcome = replay(make_stream(), method, Truthful(), Fixed(0.1), SlowAnswers(0.15))
    assert outcome.skipped == 0 and len(method.seen) == FRAMES
    # The first answer takes 0.1 s, as nothing is known of its work; the others 0.25 s.
    assert method.inference[:4] == [0, 1, 3, 6]


def test_texts_that_are_no_answers_cost_time_and_reach_no_method() -> None:
    method = Scripted(on_pair=False)
    outcome = replay(make_stream(), method, Speechless(), Fixed(0.3), FixedTime(0.0))
    assert method.inference == [] and outcome.publications == []
    assert outcome.questions == FRAMES // 3 + 1


def test_an_answer_after_the_last_pair_is_still_heard() -> None:
    method = Scripted(on_pair=False)
    outcome = run(method, Fixed(10.0))
    assert method.inference[0] == 0
    assert outcome.publications[0].available_ns == 10 * 1_000_000_000


def test_processor_time_is_measured_and_charged() -> None:
    def work() -> int:
        return sum(number * number for number in range(200_000))

    result, seconds = ProcessorTime()(work)
    assert result == sum(number * number for number in range(200_000))
    assert 0.0005 < seconds < 5.0


class Listing(Truthful):
    """An engine that sees three cars."""

    def about(self, index: int, query: Query) -> Inference:
        inference = super().about(index, query)
        return Inference(replace(inference.answer, groundings=inference.answer.groundings * 3))


@dataclass(frozen=True)
class Slow(Fixed):
    """A box every 0.1 s after 0.2 s of reading, and 0.1 s for the end."""

    seconds: float = 0.6

    def written_s(self, answer: Answer) -> list[float]:
        return [0.3, 0.4, 0.5]


def test_who_listens_hears_boxes_when_they_are_written_and_the_answer_as_before() -> None:
    plain, listener = Scripted(), Scripted(wants_partial=True)
    for method in (plain, listener):
        replay(make_stream(10), method, Listing(), Slow(), FixedTime(0.0))
    assert plain.inference == listener.inference == [0, 6, 9] and not plain.partial
    assert listener.partial == [(index, boxes) for index in (0, 6, 9) for boxes in (1, 2, 3)]


def test_a_text_that_is_no_answer_has_no_boxes_before_its_end_either() -> None:
    listener = Scripted(wants_partial=True)
    replay(make_stream(10), listener, Speechless(), Slow(), FixedTime(0.0))
    assert not listener.partial and not listener.inference
