"""Answers queries by sentence or by target: a target is looked for around its track.

A target is known by its appearance in a box (R1-Track, arXiv 2506.21980), not by words. The model
is shown a template of it and a window around its track. The answer says nothing about what lies
outside that window.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from rtrack_ros.engines.cancellation import Cancellation, passed_on
from rtrack_ros.frames import FramePair, Region
from rtrack_ros.language.answers import Answer, Box, Grounding, OnAnswer
from rtrack_ros.language.locator import Template
from rtrack_ros.language.queries import Query
from rtrack_ros.scheduling.competence import FOUND_IOU, Competence, exam_places, overlap
from rtrack_ros.scheduling.putting import GroundsQueries
from rtrack_ros.tracking.track import Track, surest


class LocatesTargets(Protocol):
    """Finds a target again; ``language.locator.Locator`` is one.

    Used by several threads at once it takes a ``cancellation``, as that does.
    """

    def template(self, pair: FramePair, box: Box) -> Template:
        """Return a target to look for."""

    def window(self, pair: FramePair, believed_box: Box) -> Region:
        """Return the part of a pair that is searched."""

    def locate(self, template: Template, pair: FramePair, believed_box: Box,
               deadline_s: float | None = None) -> Grounding | None:
        """Return where the target is, None if not in view."""


class TargetGrounder:
    """Answers queries by grounding their sentences, or by locating their targets.

    As many threads may use it at once as grounder and locator allow.

    Args:
        grounder: Answers sentences.
        locator: Finds targets; None where the model cannot.
        tracks: Returns all tracks as of now, from any thread.
    """

    def __init__(self, grounder: GroundsQueries, locator: LocatesTargets | None,
                 tracks: Callable[[], Sequence[Track]]) -> None:
        self._grounder, self._locator, self._tracks = grounder, locator, tracks
        self._lock = threading.Lock()
        self._known: dict[int, Template] = {}
        self._places: dict[int, Box] = {}
        self._exams: dict[int, tuple[FramePair, Box]] = {}
        self._competence: dict[int, Competence] = {}

    @property
    def can_locate(self) -> bool:
        """Whether targets can be followed at all."""
        return self._locator is not None

    def show(self, query: Query, pair: FramePair, box: Box) -> None:
        """Remember how the target of a query looks: ``box`` (x1, y1, x2, y2, pixels) in a pair."""
        assert self._locator is not None
        template = self._locator.template(pair, box)
        with self._lock:
            self._known[query.epoch], self._places[query.epoch] = template, box
            self._exams[query.epoch] = pair, box
            self._competence[query.epoch] = Competence()

    def keep_only(self, queries: Sequence[Query]) -> None:
        """Forget the targets of all other queries."""
        epochs = {query.epoch for query in queries}
        with self._lock:
            for epoch in self._known.keys() - epochs:
                del self._known[epoch], self._places[epoch], self._competence[epoch]
                self._exams.pop(epoch, None)

    def trust(self, query: Query) -> float | None:
        """Return the trust in the model about a target, in [0, 1]; None before it is known."""
        with self._lock:
            known = self._competence.get(query.epoch)
        return known.trust if known and known.examined else None

    def ground(self, pair: FramePair, query: Query, deadline_s: float | None = None,
               on_partial: OnAnswer | None = None,
               cancellation: Cancellation | None = None) -> Answer:
        """Return the answer to a query about a pair, boxes in pixels of the original RGB image.

        Args:
            pair: The pair, whole for a target.
            query: A sentence, or a target that was shown.
            deadline_s: Seconds after which the answer is of no use; None waits.
            on_partial: Called with the answer to a sentence while it is written, see
                ``language.grounder.Grounder.ground``.
            cancellation: Takes the question back.

        Raises:
            CancelledError: the question was taken back.
            EngineError: no text could be produced.
            AnswerError: the text is no answer, or was cut off.
        """
        if not query.by_template:
            return self._grounder.ground(pair, query, deadline_s, on_partial,
                                         **passed_on(cancellation))
        assert self._locator is not None
        started = time.perf_counter()
        with self._lock:
            template, known = self._known.get(query.epoch), self._competence.get(query.epoch)
        if template is None or known is None:  # the query ended meanwhile: its answer is refused
            return Answer(pair.stamp_ns, query.id, query.epoch, ())
        self._examine(query, template, known, deadline_s, cancellation)
        box, seen = self._believed(query)
        found = self._locator.locate(template, pair, box, deadline_s, **passed_on(cancellation))
        hearing = known.hear(None if found is None else found.box, seen)
        groundings = (found,) if found is not None and hearing.box else ()
        return Answer(pair.stamp_ns, query.id, query.epoch, groundings,
                      (time.perf_counter() - started) * 1e3, self._locator.window(pair, box),
                      trust=1.0 if groundings else hearing.trust)

    def _examine(self, query: Query, template: Template, known: Competence,
                 deadline_s: float | None, cancellation: Cancellation | None) -> None:
        """Ask the model for the target in the very picture that shows it, before it is believed.

        An engine that fails ends the examination; the next question begins it again.
        """
        with self._lock:
            exam = self._exams.get(query.epoch)
        if exam is None or self._locator is None:
            return
        pair, box = exam
        answers = [self._locator.locate(template, pair, place, deadline_s,
                                        **passed_on(cancellation)) for place in exam_places(box)]
        known.take_exam([found is not None and overlap(found.box, box) >= FOUND_IOU
                         for found in answers])
        with self._lock:
            self._exams.pop(query.epoch, None)

    def _believed(self, query: Query) -> tuple[Box, Box | None]:
        """Return where the target should be, and the same where the eye sees it sharply.

        It is the box of the query's surest track, the last one known if there is none.
        """
        track = surest(self._tracks(), query.id)
        with self._lock:
            last = self._places.get(query.epoch, (0.0, 0.0, 0.0, 0.0))
            box = last if track is None else track.box
            self._places[query.epoch] = box
        return box, box if track is not None and track.sighted else None
