"""Guests have a share of the model, and what was there before them has the rest."""

import numpy as np
import pytest

from rtrack_ros.frames import FramePair
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.agenda import Agenda, Offer
from rtrack_ros.scheduling.guests import GuestTime
from rtrack_ros.scheduling.scheduler import Schedule, Scheduler

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
