"""What is asked next while some questions are in flight; knows no lock and no thread."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import FramePair
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.freshness import Freshness, is_fresh
from rtrack_ros.scheduling.scheduler import Question, Scheduler
from rtrack_ros.tracking.track import Track


@dataclass(eq=False)
class Offer:
    """A pair with what was active and known when it arrived.

    Attributes:
        queries: Those that may be asked about it still.
        opened: Whether one was asked about it.
    """

    pair: FramePair
    queries: tuple[Query, ...]
    tracks: tuple[Track, ...]
    opened: bool = False


@dataclass(eq=False)
class QuestionInFlight:
    """A question on its way to the model.

    Attributes:
        shared: Whether the one before was about the same pair.
        guest: Whether it is put for a guest, see ``scheduling.guests``.
        cancellation: Takes it back; None where only one is in flight at a time.
        superseded: Whether nobody waits for the answer any more.
    """

    pair: FramePair
    question: Question
    shared: bool
    guest: bool
    cancellation: Cancellation | None
    superseded: bool = False


class Agenda:
    """Says what is asked next. One sentence is never in flight twice, unless superseded.

    With a concurrency of 1 a pair is asked about once: what was begun is ended, and nothing is
    taken back. With more, the newest pair stays until every query was asked about it or a newer
    one comes, and what nobody waits for is superseded.

    Args:
        scheduler: Ranks the queries.
        concurrency: Most questions in flight.

    Attributes:
        has_settled: Whether a sentence of the newest pair is no guest.
    """

    def __init__(self, scheduler: Scheduler, concurrency: int) -> None:
        self._scheduler, self._several = scheduler, concurrency > 1
        self._freshness = Freshness()
        self._offer: Offer | None = None
        self._guests = True
        self._begun: FramePair | None = None
        self._rest: deque[Question] = deque()
        self._in_flight: list[QuestionInFlight] = []
        self.has_settled = False

    def offer(self, offer: Offer) -> bool:
        """Take the newest pair; returns whether one was replaced that nobody asked about.

        A pair with fresh images stays while the newer ones show an older thermal image.
        """
        waiting = self._offer
        self._freshness.see(offer.pair)
        if waiting is not None and not waiting.opened and is_fresh(waiting.pair) \
                and self._is_better_coming(offer.pair):
            offer = Offer(waiting.pair, offer.queries, offer.tracks)
        replaced = waiting is not None and not waiting.opened
        self._offer = offer if offer.queries else None
        self._scheduler.meet(offer.queries, offer.pair.stamp_ns)
        self.has_settled = any(not self._is_guest(offer, query) for query in offer.queries)
        return replaced

    def withdraw(self) -> None:
        """Forget the pairs, and what was asked when."""
        self._offer, self._freshness = None, Freshness()
        self._rest.clear()
        self._scheduler.forget()

    def next_about_begun(self) -> QuestionInFlight | None:
        """Return the next question about the pair that is being asked about; None if none."""
        if not self._rest or self._begun is None:
            return None
        return self._put(self._begun, self._rest.popleft(), shared=True)

    def next_about_newest(self, guests: bool | None = None) -> QuestionInFlight | None:
        """Return the first question about the newest pair; None where there is none to ask.

        Args:
            guests: Whether one of a guest is wanted, or one of a settled sentence; None takes
                any.
        """
        offer = self._offer
        busy = {item.question.query.id for item in self._in_flight if not item.superseded}
        if offer is None:
            return None
        wanted = {query.id for query in offer.queries
                  if query.id not in busy and guests in (None, self._is_guest(offer, query))}
        if not wanted:
            return None
        if not offer.opened and self._is_better_coming(offer.pair):
            return None
        ranked = self._scheduler.questions(offer.pair, offer.queries, offer.tracks)
        first, *rest = self._scheduler.now([question for question in ranked
                                            if question.query.id in wanted])
        self._begun, self._rest = offer.pair, deque(rest)
        shared, offer.opened = offer.opened, True
        begun = {question.query.id for question in (first, *rest)}
        offer.queries = tuple(query for query in offer.queries if query.id not in begun)
        if not self._several or not offer.queries:
            self._offer = None
        self._guests = self._is_guest(offer, first.query)
        return self._put(offer.pair, first, shared)

    def _is_better_coming(self, pair: FramePair) -> bool:
        return self._freshness.is_coming(pair, self._scheduler.schedule.thermal_wait_s)

    def ended(self, item: QuestionInFlight, well: bool) -> None:
        """Take note that a question is in flight no more.

        After a failure the newest pair matters more than the rest of the one asked about.
        """
        self._in_flight.remove(item)
        if not well and self._begun is item.pair:
            self._rest.clear()

    def supersede(self, queries: Sequence[Query] = ()) -> list[QuestionInFlight]:
        """Give up what is asked for other queries than these; returns what is in flight of it.

        A query that was replaced is another one. With a concurrency of 1 nothing is given up.
        """
        if not self._several:
            return []
        awaited = set(queries)
        self._rest = deque(question for question in self._rest if question.query in awaited)
        given_up = [item for item in self._in_flight
                    if not item.superseded and item.question.query not in awaited]
        for item in given_up:
            item.superseded = True
        return given_up

    def _is_guest(self, offer: Offer, query: Query) -> bool:
        return self._scheduler.is_guest(query, offer.pair.stamp_ns)

    def _put(self, pair: FramePair, question: Question, shared: bool) -> QuestionInFlight:
        self._scheduler.asked(question, pair.stamp_ns)
        item = QuestionInFlight(pair, question, shared, self._guests,
                                Cancellation() if self._several else None)
        self._in_flight.append(item)
        return item
