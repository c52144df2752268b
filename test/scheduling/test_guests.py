"""Guests have a share of the model, and what was there before them has the rest."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer
from rtrack_ros.language.queries import DEFAULT_ID, Query
from rtrack_ros.scheduling import worker as worker_module
from rtrack_ros.scheduling.agenda import Agenda, Offer
from rtrack_ros.scheduling.guests import GuestTime
from rtrack_ros.scheduling.scheduler import Schedule, Scheduler
from rtrack_ros.scheduling.worker import GroundingWorker

SECOND = 1_000_000_000
OWN = Query('own', 'the people', 1)
IMAGE = np.zeros((4, 4, 3), np.uint8)


def offer(stamp_s: float, *queries: Query) -> Offer:
    return Offer(FramePair(int(stamp_s * SECOND), IMAGE, None), queries, ())


def test_several_guests_in_a_row_are_paid_for_together() -> None:
    guests = GuestTime()
    for end in (1.0, 2.0, 3.0, 4.0):  # four sentences that share one encoding
        guests.took(end, 1.0, 0.25)
    assert guests.wait_s(4.0) == pytest.approx(12.0)


@pytest.mark.parametrize('share', [0.25, 0.5, 1.0])
def test_guests_have_no_more_than_their_share(share: float) -> None:
    guests, now, theirs = GuestTime(), 0.0, 0.0
    for seconds in (2.0, 0.1, 5.0, 1.0) * 5:
        now += guests.wait_s(now)  # what was there before is asked meanwhile
        now, theirs = now + seconds, theirs + seconds
        guests.took(now, seconds, share)
    now += guests.wait_s(now)
    assert theirs / now == pytest.approx(share)


def test_a_sentence_that_changes_all_the_time_stays_a_guest_and_a_target_always_is_one() -> None:
    scheduler = Scheduler(Schedule(settled_s=10.0))
    target = Query('t', 'ball', 2, by_template=True)
    for second in range(31):
        changing = Query('x', f'text {second // 5}', 100 + second // 5)
        scheduler.meet((OWN, changing, target), second * SECOND)
    now = 30 * SECOND
    assert [scheduler.is_guest(query, now) for query in (OWN, changing, target)] == [
        False, True, True]
    scheduler.forget()  # a stranger may ask for a reset at any rate
    assert not scheduler.is_guest(OWN, now)
    # A clock that was set back makes nothing older than it is.
    assert scheduler.is_guest(OWN, -SECOND)


def test_settled_sentences_and_guests_are_asked_for_separately() -> None:
    agenda = Agenda(Scheduler(Schedule(settled_s=10.0, queries_per_pair=9)), concurrency=1)
    agenda.offer(offer(0, OWN))
    assert not agenda.has_settled
    flood = [Query(f'x{number}', 'cars', 50 + number) for number in range(23)]
    agenda.offer(offer(20, OWN, *flood))
    assert agenda.has_settled
    item = agenda.next_about_newest(guests=False)
    assert item is not None and item.question.query is OWN and not item.guest
    # The flood does not ride along with the question of the settled sentence.
    assert agenda.next_about_begun() is None
    agenda.ended(item, well=True)
    agenda.offer(offer(20.1, OWN, *flood))
    item = agenda.next_about_newest(guests=True)
    assert item is not None and item.guest and item.question.query in flood
    agenda.offer(offer(20.2, *flood))
    assert not agenda.has_settled and agenda.next_about_newest(guests=False) is None


def test_the_sentence_of_the_plain_topic_is_host_from_its_first_frame() -> None:
    scheduler = Scheduler(Schedule(settled_s=10.0))
    before = Query('x', 'cars', 1)
    scheduler.meet((before,), 0)
    plain = Query(DEFAULT_ID, 'the people', 2)
    scheduler.meet((before, plain), 60 * SECOND)
    assert scheduler.is_guest(before, 60 * SECOND) and not scheduler.is_guest(plain, 60 * SECOND)
    shown = Query(DEFAULT_ID, 'ball', 3, by_template=True)  # a box took its place
    scheduler.meet((before, shown), 61 * SECOND)
    assert scheduler.is_guest(shown, 61 * SECOND) and not scheduler.is_guest(before, 61 * SECOND)


def test_without_a_plain_sentence_those_that_were_there_first_are_hosts() -> None:
    scheduler = Scheduler(Schedule(settled_s=10.0))
    first, beside, later = (Query(name, name, number) for number, name in enumerate('abc'))
    scheduler.meet((first,), 0)
    scheduler.meet((first, beside), 5 * SECOND)
    scheduler.meet((first, beside, later), 30 * SECOND)
    now = 3600 * SECOND
    assert [scheduler.is_guest(query, now) for query in (first, beside, later)] == [
        False, False, True]
    scheduler.meet((later,), now)  # who is left is host
    assert not scheduler.is_guest(later, now)


class Clock:
    """A time that moves while the model works."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic


class SlowModel:
    """Answers; strangers' questions may take longer than the own one."""

    def __init__(self, clock: Clock, own_s: float, guest_s: float) -> None:
        self._clock, self._own_s, self._guest_s = clock, own_s, guest_s
        self.asked = threading.Semaphore(0)
        self.own: list[float] = []

    def ground(self, pair: FramePair, query: Query, *_: object, **__: object) -> Answer:
        self.work(query.id == DEFAULT_ID)
        return Answer(pair.stamp_ns, query.id, query.epoch, ())

    def work(self, own: bool) -> None:
        self._clock.now += self._own_s if own else self._guest_s
        self.own.append(self._own_s if own else 0.0)
        self.asked.release()


def constant(turn: int) -> list[Query]:
    return [Query(f'x{number}', 'cars', 10 + number) for number in range(23)]


def changing(turn: int) -> list[Query]:
    return [Query(f'x{number}', 'cars', 1000 * turn + number) for number in range(10, 33)]


def targets(turn: int) -> list[Query]:
    return [Query(f'x{number}', 'box', 10 + number, by_template=True) for number in range(2)]


@pytest.mark.parametrize('strangers', [constant, changing, targets])
@pytest.mark.parametrize('describing', [False, True])
@pytest.mark.parametrize('guest_s', [0.1, 0.3, 3.0])
def test_whatever_strangers_do_half_of_the_models_time_is_the_own_sentences(
        strangers: object, describing: bool, guest_s: float, monkeypatch: pytest.MonkeyPatch
        ) -> None:
    clock = Clock()
    monkeypatch.setattr(worker_module, 'time', clock)
    model = SlowModel(clock, 0.3, guest_s)
    own = Query(DEFAULT_ID, 'the people', 1)
    answers: list[Answer] = []
    worker = GroundingWorker(model, answers.append, Scheduler(Schedule(settled_s=10.0)))
    try:
        began = clock.now
        for turn in range(1, 150):
            if describing:
                try:
                    worker.submit(lambda: model.work(own=False))
                except worker_module.BusyError:
                    pass
            worker.offer(FramePair(int(clock.now * SECOND), IMAGE, None),
                         (*strangers(turn), own))  # type: ignore[operator]
            assert model.asked.acquire(timeout=20.0)
        share = sum(model.own) / (clock.now - began)
    finally:
        model.asked = SimpleNamespace(release=lambda: None)  # type: ignore[assignment]
        worker.close()
    assert share >= 0.5, share
    assert 1 in {answer.epoch for answer in answers}
    if strangers is constant and not describing:
        assert share <= 0.75  # and strangers are not starved
