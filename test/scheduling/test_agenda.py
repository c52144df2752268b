"""Several questions may be in flight, but never two that one sentence waits for."""

import numpy as np

from rtrack_ros.frames import FramePair
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.agenda import Agenda, Offer
from rtrack_ros.scheduling.scheduler import Schedule, Scheduler

IMAGE = np.zeros((4, 4, 3), np.uint8)
A, B, C = Query('a', 'the dog', 1), Query('b', 'the cat', 2), Query('c', 'the cow', 3)


def agenda(concurrency: int, queries_per_pair: int = 1) -> Agenda:
    return Agenda(Scheduler(Schedule(queries_per_pair=queries_per_pair)), concurrency)


def offer(stamp: int, *queries: Query) -> Offer:
    return Offer(FramePair(stamp, IMAGE, None), queries, ())


def all_now(asking: Agenda) -> list:
    """Everything that can be put without waiting for an answer or a newer pair."""
    items = []
    while (item := asking.next_about_begun() or asking.next_about_newest()) is not None:
        items.append(item)
    return items


def said(items) -> list[tuple[int, str, bool]]:
    return [(item.pair.stamp_ns, item.question.query.id, item.shared) for item in items]


def test_one_at_a_time_asks_about_a_pair_once_and_takes_nothing_back() -> None:
    asking = agenda(1, queries_per_pair=2)
    asking.offer(offer(1, A, B, C))
    items = all_now(asking)
    assert said(items) == [(1, 'a', False), (1, 'b', True)]
    assert [item.cancellation for item in items] == [None, None]
    assert asking.supersede(()) == [] and asking.next_about_newest() is None


def test_several_ask_about_the_newest_pair_until_all_sentences_are_in_flight() -> None:
    asking = agenda(4)
    asking.offer(offer(1, A, B, C))
    items = all_now(asking)
    assert said(items) == [(1, 'a', False), (1, 'b', True), (1, 'c', True)]
    asking.offer(offer(2, A, B, C))
    assert all_now(asking) == []
    asking.ended(items[1], well=True)
    assert said(all_now(asking)) == [(2, 'b', False)]


def test_a_pair_that_nobody_asked_about_is_replaced_and_one_that_was_begun_is_not() -> None:
    asking = agenda(2)
    assert not asking.offer(offer(1, A, B))
    assert asking.next_about_newest() is not None
    assert not asking.offer(offer(2, A, B)), 'pair 1 was asked about'
    assert asking.offer(offer(3, A, B)), 'pair 2 was not'
    assert said([asking.next_about_newest()]) == [(3, 'b', False)]


def test_after_a_failure_the_rest_of_its_pair_is_left() -> None:
    asking = agenda(2, queries_per_pair=3)
    asking.offer(offer(1, A, B, C))
    first = asking.next_about_newest()
    asking.offer(offer(2, A, B, C))
    asking.ended(first, well=False)
    assert asking.next_about_begun() is None
    assert said([asking.next_about_newest()]) == [(2, 'b', False)]


def test_a_replaced_sentence_supersedes_its_question_and_is_asked_at_once() -> None:
    asking, changed = agenda(2), Query('a', 'the horse', 9)
    asking.offer(offer(1, A, B))
    old, other = all_now(asking)
    asking.offer(offer(2, changed, B))
    assert asking.supersede((changed, B)) == [old]
    assert old.superseded and not other.superseded
    assert asking.supersede((changed, B)) == [], 'it is given up once'
    new = asking.next_about_newest()
    assert (new.question.query, new.pair.stamp_ns) == (changed, 2)
    asking.ended(old, well=False)
    assert asking.next_about_newest() is None, 'the new question is in flight still'


def test_what_was_not_put_yet_for_a_sentence_that_went_is_not_put() -> None:
    asking = agenda(2, queries_per_pair=3)
    asking.offer(offer(1, A, B, C))
    assert asking.next_about_newest() is not None
    asking.offer(offer(2, A, C))
    asking.supersede((A, C))
    assert said([asking.next_about_begun()]) == [(1, 'c', True)]
    assert asking.next_about_begun() is None


def test_a_reset_forgets_the_pairs_and_who_was_asked_when() -> None:
    asking = agenda(2, queries_per_pair=2)
    asking.offer(offer(1, A, B))
    first = asking.next_about_newest()
    asking.withdraw()
    assert asking.supersede() == [first]
    assert asking.next_about_begun() is None and asking.next_about_newest() is None
    asking.offer(offer(2, A, B))
    assert said(all_now(asking)) == [(2, 'a', False), (2, 'b', True)]
