"""With a concurrency above 1 several questions are in flight; what nobody awaits is taken back."""

import threading
import time
from concurrent.futures import wait

import numpy as np
import pytest

from rtrack_ros.engines.base import CancelledError, EngineError
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.scheduler import Schedule, Scheduler
from rtrack_ros.scheduling.worker import GroundingWorker

IMAGE = np.zeros((4, 4, 3), np.uint8)
A, B, C = Query('a', 'the dog', 1), Query('b', 'the cat', 2), Query('c', 'the cow', 3)


def pair(stamp: int) -> FramePair:
    return FramePair(stamp, IMAGE, None)


def wait_for(condition, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'did not happen in time'
        time.sleep(0.002)


class Door:
    """A grounder that holds every question until it is let or taken back."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[tuple[int, Query]] = []
        self.inside: dict[str, threading.Event] = {}
        self.taken_back: list[Query] = []
        self.most = 0
        self._lock = threading.Lock()

    def ground(self, pair, query, deadline_s=None, on_partial=None, *, cancellation: Cancellation
               ) -> Answer:
        go = threading.Event()
        with self._lock:
            self.asked.append((pair.stamp_ns, query))
            assert query.id not in self.inside or self.inside[query.id].is_set()
            self.inside[query.id] = go
            self.most = max(self.most, sum(not door.is_set() for door in self.inside.values()))
        with cancellation.stopping_by(go.set):
            assert go.wait(20)
        if cancellation.cancelled:
            self.taken_back.append(query)
            raise CancelledError('the question was taken back')
        if self.error is not None:
            raise self.error
        return Answer(pair.stamp_ns, query.id, query.epoch, ())

    def let(self, *ids: str) -> None:
        for name in ids:
            self.inside[name].set()


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def start():
    workers = []

    def begin(grounder, on_answer=lambda answer: None, concurrency=3, **options):
        workers.append(GroundingWorker(grounder, on_answer, concurrency=concurrency, **options))
        return workers[-1]
    yield begin
    for worker in workers:
        assert worker.close()


def test_sentences_about_the_newest_pair_are_in_flight_at_once(door, start) -> None:
    worker = start(door)
    worker.offer(pair(1), (A, B, C))
    wait_for(lambda: len(door.asked) == 3)
    assert sorted(door.asked, key=lambda item: item[1].id) == [(1, A), (1, B), (1, C)]
    door.let('a', 'b', 'c')
    wait_for(lambda: worker.counts.answered == 3)
    assert (worker.counts.asked, worker.counts.shared, worker.counts.cancelled) == (3, 2, 0)


def test_no_more_are_in_flight_than_the_engine_gains_from(door, start) -> None:
    worker = start(door, concurrency=2)
    worker.offer(pair(1), (A, B, C))
    wait_for(lambda: len(door.asked) == 2)
    time.sleep(0.1)
    assert len(door.asked) == 2
    door.let('a')
    wait_for(lambda: len(door.asked) == 3)
    assert door.asked[2] == (1, C) and door.most == 2


def test_one_sentence_waits_for_its_answer_and_then_has_the_newest_pair(door, start) -> None:
    worker = start(door)
    for stamp in (1, 2, 3, 4):
        worker.offer(pair(stamp), (A,))
        wait_for(lambda: door.asked)
    time.sleep(0.1)
    assert door.asked == [(1, A)]
    door.let('a')
    wait_for(lambda: len(door.asked) == 2)
    assert door.asked[1] == (4, A) and worker.counts.superseded == 2


def test_a_replaced_sentence_takes_its_question_back_and_is_asked_at_once(door, start) -> None:
    answers: list[Answer] = []
    worker, changed = start(door, answers.append), Query('a', 'the horse', 9)
    worker.offer(pair(1), (A, B))
    wait_for(lambda: len(door.asked) == 2)
    worker.offer(pair(2), (changed, B))
    wait_for(lambda: (2, changed) in door.asked and worker.counts.cancelled == 1)
    assert door.taken_back == [A]
    door.let('a', 'b')
    wait_for(lambda: worker.counts.answered >= 2)
    assert sorted(answer.epoch for answer in answers[:2]) == [2, 9]
    assert (worker.counts.engine_errors, worker.counts.last_error) == (0, '')


def test_a_sentence_that_is_let_go_and_a_reset_take_questions_back(door, start) -> None:
    worker = start(door)
    worker.offer(pair(1), (A, B))
    wait_for(lambda: len(door.asked) == 2)
    worker.offer(pair(2), (B,))
    wait_for(lambda: door.taken_back == [A])
    worker.withdraw()
    wait_for(lambda: door.taken_back == [A, B] and worker.counts.cancelled == 2)


def test_the_answer_to_a_superseded_question_is_dropped_where_it_cannot_be_stopped(start) -> None:
    class Deaf(Door):
        def ground(self, pair, query, deadline_s=None, on_partial=None, cancellation=None):
            return super().ground(pair, query, cancellation=Cancellation())
    deaf, answers = Deaf(), []
    worker = start(deaf, answers.append)
    worker.offer(pair(1), (A,))
    wait_for(lambda: deaf.asked)
    worker.offer(pair(2), ())
    deaf.let('a')
    wait_for(lambda: worker.counts.cancelled == 1)
    assert answers == [] and worker.counts.answered == 0


def test_a_job_is_done_beside_a_question(door, start) -> None:
    worker = start(door, concurrency=2)
    worker.offer(pair(1), (A,))
    wait_for(lambda: door.asked)
    assert worker.submit(lambda: threading.current_thread().name).result(20) in (
        'grounding', 'grounding 2')
    assert worker.counts.answered == 0


def test_two_jobs_run_at_once(door, start) -> None:
    worker, both = start(door, concurrency=2), threading.Barrier(2)
    jobs = [worker.submit(lambda: both.wait(20)) for _ in range(2)]
    assert not wait(jobs, 20).not_done
    assert sorted(job.result() for job in jobs) == [0, 1]


def test_the_back_off_of_a_failing_engine_holds_for_all_threads(start) -> None:
    class Failing:
        def __init__(self) -> None:
            self.at: list[float] = []

        def ground(self, pair, query, deadline_s=None, on_partial=None, cancellation=None):
            self.at.append(time.monotonic())
            raise EngineError('down')
    failing = Failing()
    worker = start(failing, longest_back_off_s=0.3)
    ends = time.monotonic() + 1.5
    stamp = 0
    while time.monotonic() < ends:
        stamp += 1
        worker.offer(pair(stamp), (A, B, C))
        time.sleep(0.005)
    # Three at a time and 0.3 s apart at least, after the first few.
    assert 6 <= len(failing.at) <= 24
    assert worker.counts.engine_errors == len(failing.at)
    assert failing.at[-1] > ends - 0.6, 'it is asked again and again'


def test_an_answer_ends_the_back_off(door, start) -> None:
    worker = start(door, concurrency=2, longest_back_off_s=60.0)
    worker.offer(pair(1), (A, B))
    wait_for(lambda: len(door.asked) == 2)
    worker._free_at = time.monotonic() + 60.0
    door.let('a')
    wait_for(lambda: worker.counts.answered == 1)
    worker.offer(pair(2), (A, B))
    wait_for(lambda: (2, A) in door.asked)


def test_answers_that_come_at_once_are_all_passed_on(start) -> None:
    class Instant:
        def ground(self, pair, query, deadline_s=None, on_partial=None, cancellation=None):
            on_partial(Answer(pair.stamp_ns, query.id, query.epoch, (), partial=True))
            return Answer(pair.stamp_ns, query.id, query.epoch, ())
    whole: list[str] = []
    many = tuple(Query(f'q{number}', 'a dog', number) for number in range(1, 31))
    worker = start(Instant(), lambda answer: answer.partial or whole.append(answer.query_id),
                   concurrency=8, scheduler=Scheduler(Schedule(queries_per_pair=5)))
    worker.offer(pair(1), many)
    wait_for(lambda: worker.counts.answered == 30)
    wait_for(lambda: len(whole) == 30)
    assert sorted(whole) == sorted(query.id for query in many), 'each is asked once about a pair'


def test_closing_takes_back_what_is_in_flight_and_ends_all_threads(door) -> None:
    worker = GroundingWorker(door, lambda answer: None, concurrency=3)
    worker.offer(pair(1), (A, B))
    wait_for(lambda: len(door.asked) == 2)
    started = time.monotonic()
    assert worker.close()
    assert time.monotonic() - started < 4.0
    assert sorted(query.id for query in door.taken_back) == ['a', 'b']
    assert worker.submit(lambda: 1).cancelled()
    assert not [thread for thread in worker._threads if thread.is_alive()]


def test_every_question_ends_once_whatever_comes_together(start) -> None:
    """Sentences change, come and go, the engine fails, and jobs are done in between."""
    class Unsteady:
        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.inside: dict[Query, int] = {}
            self.twice = 0
            self.chance = np.random.default_rng(3)

        def ground(self, pair, query, deadline_s=None, on_partial=None, *, cancellation):
            taken_back = threading.Event()
            with self.lock:
                self.inside[query] = self.inside.get(query, 0) + 1
                self.twice += self.inside[query] > 1
                pause, luck = self.chance.uniform(0, 0.004), self.chance.random()
            try:
                with cancellation.stopping_by(taken_back.set):
                    if taken_back.wait(pause):
                        raise CancelledError('taken back')
                if luck < 0.1:
                    raise EngineError('bad luck')
                return Answer(pair.stamp_ns, query.id, query.epoch, ())
            finally:
                with self.lock:
                    self.inside[query] -= 1
    unsteady, epoch = Unsteady(), 0
    worker = start(unsteady, concurrency=6, longest_back_off_s=0.001,
                   scheduler=Scheduler(Schedule(queries_per_pair=3)))
    queries: dict[str, Query] = {}
    rng = np.random.default_rng(5)
    for stamp in range(1, 400):
        name = f'q{rng.integers(9)}'
        epoch += 1
        if rng.random() < 0.2:
            queries.pop(name, None)
        elif rng.random() < 0.3 or name not in queries:
            queries[name] = Query(name, f'sentence {epoch}', epoch)
        worker.offer(pair(stamp), tuple(queries.values()))
        job = worker.submit(lambda: 1) if stamp % 10 == 0 else None
        time.sleep(0.002)
        assert job is None or job.result(20) == 1
    worker.offer(pair(999), ())
    counts = worker.counts
    wait_for(lambda: counts.asked == counts.answered + counts.engine_errors + counts.cancelled)
    assert unsteady.twice == 0
    assert min(counts.answered, counts.engine_errors, counts.cancelled) > 10
