"""The worker asks about the newest pair, keeps deadlines, and survives every error."""

import threading
import time

import numpy as np
import pytest

from rtrack_ros.engines.base import DeadlineError, EngineError
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.scheduler import Schedule, Scheduler
from rtrack_ros.scheduling.worker import BusyError, GroundingWorker, WorkerCounts

IMAGE = np.zeros((4, 4, 3), np.uint8)
QUERY = (Query('default', 'the dog', 1),)
THREE = (Query('a', 'the dog', 1), Query('b', 'the cat', 2), Query('c', 'the cow', 3))


def wait_for(condition, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'did not happen in time'
        time.sleep(0.002)


class Gate:
    """A grounder that answers, or fails, when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []
        self.deadlines: list[float | None] = []
        self.go = threading.Semaphore(0)
        self.error: Exception | None = None

    def ground(self, pair, query, deadline_s=None, on_partial=None) -> Answer:
        self.asked.append((pair.stamp_ns, query.id))
        self.deadlines.append(deadline_s)
        assert self.go.acquire(timeout=20)
        if self.error is not None:
            raise self.error
        return Answer(pair.stamp_ns, query.id, query.epoch, ())


@pytest.fixture
def gate():
    return Gate()


def pair(stamp: int) -> FramePair:
    return FramePair(stamp, IMAGE, None)


def test_the_newest_pair_wins(gate) -> None:
    answers: list[Answer] = []
    worker = GroundingWorker(gate, answers.append)
    worker.offer(pair(1), QUERY)
    wait_for(lambda: gate.asked)
    for stamp in (2, 3, 4):
        worker.offer(pair(stamp), QUERY)
    gate.go.release(2)
    wait_for(lambda: len(answers) == 2)
    assert [answer.stamp_ns for answer in answers] == [1, 4]
    assert worker.counts.superseded == 2
    assert worker.close()


def test_queries_that_share_an_encoding_are_asked_about_one_pair(gate) -> None:
    worker = GroundingWorker(gate, lambda answer: None, Scheduler(Schedule(queries_per_pair=2)))
    gate.go.release(4)
    worker.offer(pair(1), THREE)
    wait_for(lambda: worker.counts.answered == 2)
    worker.offer(pair(2), THREE)
    wait_for(lambda: worker.counts.answered == 4)
    assert gate.asked == [(1, 'a'), (1, 'b'), (2, 'c'), (2, 'a')]
    assert (worker.counts.asked, worker.counts.shared, worker.counts.crops) == (4, 2, 0)
    assert worker.close()


def test_after_a_failure_the_rest_of_the_pair_is_left(gate) -> None:
    worker = GroundingWorker(gate, lambda answer: None, Scheduler(Schedule(queries_per_pair=3)))
    gate.error = DeadlineError('no answer within 1 s')
    gate.go.release()
    worker.offer(pair(1), THREE)
    wait_for(lambda: worker.counts.engine_errors)
    gate.error = None
    gate.go.release(3)
    worker.offer(pair(2), THREE)
    wait_for(lambda: worker.counts.answered == 3)
    assert gate.asked == [(1, 'a'), (2, 'b'), (2, 'c'), (2, 'a')]
    assert worker.close()


@pytest.mark.parametrize(('error', 'field'), [
    (EngineError('no memory'), 'engine_errors'), (AnswerError('not JSON'), 'answers_invalid'),
    (DeadlineError('no answer within 1 s'), 'deadlines_missed'),
    (ZeroDivisionError('bug'), 'engine_errors')])
def test_failures_are_counted_and_survived(gate, error, field) -> None:
    answers: list[Answer] = []
    worker = GroundingWorker(gate, answers.append)
    gate.error = error
    gate.go.release()
    worker.offer(pair(1), QUERY)
    wait_for(lambda: worker.counts.last_error)
    assert getattr(worker.counts, field) == 1
    assert str(error) in worker.counts.last_error
    gate.error = None
    gate.go.release()
    worker.offer(pair(2), QUERY)
    wait_for(lambda: answers)
    assert worker.counts.consecutive_failures == 0
    assert worker.close()


def test_every_question_has_the_deadline(gate) -> None:
    worker = GroundingWorker(gate, lambda answer: None, Scheduler(Schedule(deadline_s=1.5)))
    gate.go.release()
    worker.offer(pair(1), QUERY)
    wait_for(lambda: worker.counts.answered)
    assert gate.deadlines == [1.5]
    assert worker.close()


def test_the_back_off_doubles_and_ends() -> None:
    counts = WorkerCounts()
    pauses = []
    for _ in range(12):
        counts.failed(EngineError('down'))
        pauses.append(counts.back_off_s)
    assert pauses[:4] == [0.0, 0.1, 0.2, 0.4]
    assert pauses[-1] == 5.0
    counts.succeeded()
    assert counts.back_off_s == 0.0


def test_missed_deadlines_are_engine_errors_without_a_back_off() -> None:
    counts = WorkerCounts()
    for _ in range(5):
        counts.failed(DeadlineError('no answer within 1 s'))
    assert (counts.engine_errors, counts.deadlines_missed, counts.back_off_s) == (5, 5, 0.0)
    assert counts.unanswered == 5
    counts.succeeded()
    assert counts.unanswered == 0


def wishing(seconds: float) -> EngineError:
    """An engine that is busy and says for how long."""
    error = EngineError('too much to do')
    error.ask_again_after_s = seconds
    return error


def test_an_engine_that_says_when_to_ask_again_is_left_alone_until_then(gate) -> None:
    worker = GroundingWorker(gate, lambda answer: None)
    gate.error = wishing(0.4)
    worker.offer(pair(1), QUERY)
    wait_for(lambda: gate.asked)
    failed = time.monotonic()
    gate.go.release(2)
    wait_for(lambda: worker.counts.engine_errors == 1)
    worker.offer(pair(2), QUERY)
    wait_for(lambda: len(gate.asked) == 2)
    # Without the wish a first failure has no back-off at all.
    assert time.monotonic() - failed >= 0.4
    assert worker.close()


def test_an_answer_that_comes_meanwhile_does_not_end_the_pause_that_was_asked_for() -> None:
    class Busy:
        def __init__(self) -> None:
            self.asked: list[tuple[str, float]] = []
            self.both, self.answer = threading.Barrier(2), threading.Event()

        def ground(self, pair, query, deadline_s=None, on_partial=None, cancellation=None):
            self.asked.append((query.id, time.monotonic()))
            if pair.stamp_ns == 1:
                self.both.wait(20)
                if query.id == 'a':
                    raise wishing(0.5)
            assert self.answer.wait(20)
            return Answer(pair.stamp_ns, query.id, query.epoch, ())

    busy = Busy()
    worker = GroundingWorker(busy, lambda answer: None, Scheduler(Schedule(queries_per_pair=2)),
                             concurrency=2)
    worker.offer(pair(1), THREE[:2])
    wait_for(lambda: worker.counts.engine_errors == 1)
    refused = next(at for name, at in busy.asked if name == 'a')
    busy.answer.set()
    wait_for(lambda: worker.counts.answered == 1)
    worker.offer(pair(2), THREE[:2])
    wait_for(lambda: len(busy.asked) >= 3)
    assert busy.asked[2][1] - refused >= 0.5
    assert worker.close()


def test_a_pause_that_an_engine_asks_for_is_bounded() -> None:
    assert WorkerCounts.wished_pause_s(wishing(3.0)) == 3.0
    assert WorkerCounts.wished_pause_s(wishing(86400.0)) == 10.0
    assert WorkerCounts.wished_pause_s(EngineError('down')) == 0.0
    assert WorkerCounts.wished_pause_s(ValueError('no engine at all')) == 0.0


def test_a_failing_answer_handler_does_not_end_the_worker(gate) -> None:
    seen: list[int] = []

    def handler(answer: Answer) -> None:
        seen.append(answer.stamp_ns)
        raise RuntimeError('downstream')

    worker = GroundingWorker(gate, handler)
    gate.go.release(2)
    for stamp in (1, 2):
        worker.offer(pair(stamp), QUERY)
        wait_for(lambda stamp=stamp: stamp in seen)
    assert worker.close()


def test_closing_does_not_wait_for_a_pair(gate) -> None:
    worker = GroundingWorker(gate, lambda answer: None)
    worker.offer(pair(1), ())
    started = time.monotonic()
    assert worker.close()
    assert time.monotonic() - started < 4.0
    assert gate.asked == []


def test_jobs_are_done_between_questions_and_their_errors_come_back(gate) -> None:
    worker = GroundingWorker(gate, lambda answer: None)
    worker.offer(pair(1), QUERY)
    wait_for(lambda: gate.asked)
    name = worker.submit(lambda: threading.current_thread().name)
    failure = worker.submit(lambda: 1 / 0)
    worker.offer(pair(2), QUERY)
    assert not name.done()
    gate.go.release(2)  # the second pair comes between the two
    assert name.result(20) == 'grounding'
    assert isinstance(failure.exception(20), ZeroDivisionError)
    wait_for(lambda: len(gate.asked) == 2)
    waiting = worker.submit(lambda: 1)
    gate.go.release()
    worker.close()
    assert waiting.done() and worker.submit(lambda: 1).cancelled()


class Writing(Gate):
    """A grounder that passes on its boxes, and ends when the test lets it."""

    def ground(self, pair, query, deadline_s=None, on_partial=None) -> Answer:
        boxes = tuple(Grounding((0.0, 0.0, 9.0, size), 'dog') for size in (1.0, 2.0, 3.0))
        for written in (1, 2, 3):
            on_partial(Answer(pair.stamp_ns, query.id, query.epoch, boxes[:written],
                              partial=True))
        super().ground(pair, query)
        return Answer(pair.stamp_ns, query.id, query.epoch, boxes)


def test_boxes_are_passed_on_while_the_answer_is_written() -> None:
    writing, answers = Writing(), []
    worker = GroundingWorker(writing, answers.append)
    worker.offer(pair(1), QUERY)
    wait_for(lambda: answers and len(answers[-1].groundings) == 3)
    assert all(answer.partial for answer in answers) and worker.counts.answered == 0
    writing.go.release()
    wait_for(lambda: worker.counts.answered == 1 and not answers[-1].partial)
    assert worker.close()


def test_a_slow_receiver_gets_the_newest_boxes_and_holds_up_no_model() -> None:
    writing, answers, busy = Writing(), [], threading.Semaphore(0)

    def slow(answer: Answer) -> None:
        answers.append(answer)
        if answer.partial:
            assert busy.acquire(timeout=20)
            raise RuntimeError('the tracker stumbles')

    worker = GroundingWorker(writing, slow)
    worker.offer(pair(1), QUERY)
    wait_for(lambda: writing.asked)
    busy.release(3)
    wait_for(lambda: answers and len(answers[-1].groundings) == 3)
    assert len(answers) <= 3
    writing.go.release()
    wait_for(lambda: worker.counts.answered == 1)
    assert not answers[-1].partial and worker.close()


def test_descriptions_and_sentences_take_turns_and_few_may_wait(gate) -> None:
    worker = GroundingWorker(gate, lambda answer: None, Scheduler(Schedule(settled_s=0.0)))
    order, hold = [], threading.Event()
    wait_for(worker.submit(lambda: hold.wait(20)).running)
    for number in range(4):
        worker.submit(lambda number=number: order.append(number))
    with pytest.raises(BusyError, match='4 wait'):
        worker.submit(lambda: None)
    gate.go.release(100_000)
    worker.offer(pair(1), QUERY)
    hold.set()
    # After a guest comes a sentence, although others were there before it.
    wait_for(lambda: gate.asked)
    assert len(order) <= 1
    for stamp in range(2, 2000):
        worker.offer(pair(stamp), QUERY)
        if len(order) == 4:
            break
        time.sleep(0.005)
    assert order == [0, 1, 2, 3]
    assert len(gate.asked) >= 4
    assert worker.close()


def test_a_description_that_nobody_awaits_any_more_waits_no_more(gate) -> None:
    worker = GroundingWorker(gate, lambda answer: None)
    hold = threading.Event()
    busy = worker.submit(lambda: hold.wait(20))
    wait_for(busy.running)
    waiting = [worker.submit(lambda: None, 2) for _ in range(2)]
    for future in waiting:
        assert future.cancel()
    assert not worker.submit(lambda: None, 2).cancelled()
    hold.set()
    assert worker.close()


def test_an_answer_that_is_refused_at_its_end_is_taken_back(gate) -> None:
    heard: list[tuple[str, int]] = []

    class Refused:
        def ground(self, pair, query, deadline_s=None, on_partial=None) -> Answer:
            on_partial(Answer(pair.stamp_ns, query.id, query.epoch,
                              (Grounding((0.0, 0.0, 9.0, 9.0), 'dog'),), partial=True))
            raise AnswerError('its end is no answer')

    worker = GroundingWorker(Refused(), lambda answer: None,
                             on_failure=lambda query, stamp: heard.append((query.id, stamp)))
    worker.offer(pair(7), QUERY)
    wait_for(lambda: worker.counts.answers_invalid)
    assert heard == [('default', 7)]
    assert worker.close()
