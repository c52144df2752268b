"""The worker asks about the newest pair, takes turns, and survives everything."""

import threading
import time

import numpy as np
import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.scheduler import GroundingWorker, QueryRota, WorkerCounts

IMAGE = np.zeros((4, 4, 3), np.uint8)
QUERY = (Query('default', 'the dog', 1),)


def wait_for(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'did not happen in time'
        time.sleep(0.002)


class Gate:
    """A grounder that answers, or fails, when it is let."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []
        self.go = threading.Semaphore(0)
        self.error: Exception | None = None

    def ground(self, pair, query, deadline_s=None) -> Answer:
        self.asked.append((pair.stamp_ns, query.id))
        assert self.go.acquire(timeout=10)
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


def test_queries_take_turns_and_a_new_one_comes_first() -> None:
    rota = QueryRota()
    a, b = Query('a', 'x', 1), Query('b', 'y', 2)
    order = []
    for queries in [(a, b)] * 4 + [(a, Query('b', 'z', 3))] * 2:
        query = rota.next(queries)
        rota.asked(query)
        order.append((query.id, query.epoch))
    assert order == [('a', 1), ('b', 2), ('a', 1), ('b', 2), ('b', 3), ('a', 1)]
    assert rota.next(()) is None


@pytest.mark.parametrize(('error', 'field'), [
    (EngineError('no memory'), 'engine_errors'), (AnswerError('not JSON'), 'answers_invalid'),
    (ZeroDivisionError('bug'), 'engine_errors')])
def test_failures_are_counted_and_survived(gate, error, field) -> None:
    answers: list[Answer] = []
    failures: list[Exception] = []
    worker = GroundingWorker(gate, answers.append, failures.append)
    gate.error = error
    gate.go.release()
    worker.offer(pair(1), QUERY)
    wait_for(lambda: failures)
    assert failures == [error]
    assert getattr(worker.counts, field) == 1
    assert str(error) in worker.counts.last_error
    gate.error = None
    gate.go.release()
    worker.offer(pair(2), QUERY)
    wait_for(lambda: answers)
    assert worker.counts.consecutive_failures == 0
    assert worker.close()


def test_the_back_off_doubles_and_ends() -> None:
    counts = WorkerCounts()
    pauses = []
    for _ in range(12):
        counts.failed(EngineError('down'))
        pauses.append(counts.back_off_s)
    assert pauses[:4] == [0.0, 0.1, 0.2, 0.4]
    assert pauses[-1] == 5.0


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
    assert time.monotonic() - started < 2.0
    assert gate.asked == []
