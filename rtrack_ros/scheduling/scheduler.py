"""What the model is asked next: which queries, in which order, and about which part of the image.

The model is slow, so every question counts. Five rules, in this order:

1. The newest pair is asked about. A pair that was not asked about is dropped once a newer one is
   there. (``worker`` does that live; a file is asked about at intervals.) Beside a slow thermal
   camera it is the newest pair with a thermal image of its own instant (``freshness``).
2. A query that waited for as many questions as there are queries comes next: no query starves.
3. Then a query that was never asked, or was replaced; then one with a track that is new, lost or
   doubtful; then the one that waited longest.
4. When a query's tracks are all sure, only the region around them is asked about, enlarged, if the
   model gains from that. The whole image is still asked about at intervals, to find new objects.
5. Several queries may be asked about one pair where they share its encoding.
6. While a detector says where objects are, a sentence that shows in one object is asked about
   objects instead of the image, as far as that is worth more (``expected_gain``).

Time is that of the pairs' stamps: a recording gets the same questions whenever it is played.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rtrack_ros.boxes import as_boxes
from rtrack_ros.engines.base import Capabilities, is_used
from rtrack_ros.frames import FramePair, Region
from rtrack_ros.language.queries import DEFAULT_ID, Query
from rtrack_ros.language.whole_image import needs_whole_image
from rtrack_ros.scheduling.expected_gain import Worth, objects_to_verify
from rtrack_ros.scheduling.region import region_of_interest
from rtrack_ros.settings import check_settings, setting
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.track import Belief, Track, TrackState
from rtrack_ros.tracking.track_book import DETECTOR_SILENT_S

STAMP_JITTER_NS: Final = 2_000_000
"""Nine frames of 30 Hz are a little less than 0.3 s in whole nanoseconds; they count as 0.3 s."""
_LEARNING = 0.2
_GONE_SCORE = 0.05
"""Score below which a track is only kept for its id: it changes no question."""


@dataclass(frozen=True)
class Schedule:
    """Settings of the scheduler.

    Attributes:
        crop_size: (width, height) in pixels of the model's input where the model gains from
            crops; None where it always gets the whole image. ``for_model`` sets it.
        worth: What decides between grounding and verifying; None where the model cannot verify.
            ``for_model`` sets it.
    """

    deadline_s: float | None = setting(
        None, 'Time after which a question to the model is given up and a newer pair asked about; '
        'without one, once the frame is forgotten (tracker.history_length_s). Files have none: '
        'their result must not depend on the machine', 's', (0.001, 600.0), advanced=True)
    full_frame_interval_s: float = setting(
        2.0, 'Longest time between two questions of one sentence about the whole image, where '
        'crops are in use; raising it enlarges more often and finds new objects later', 's',
        (0.0, 600.0), advanced=True)
    confident_score: float = setting(
        0.8, 'Score from which a track is sure; raising it asks about the whole image and about '
        'doubtful sentences more often', span=(0.0, 1.0), advanced=True)
    queries_per_pair: int = setting(
        1, 'Most sentences asked about one pair, where the engine encodes its images once for all '
        'of them; raising it saves encodings and makes later answers older', span=(1, 100),
        advanced=True)
    thermal_wait_s: float = setting(
        0.25, 'Longest time for which questions wait for a pair with a thermal image of its own '
        'instant, where the thermal camera is slower than RGB; raising it asks less often beside '
        'a very slow one', 's', (0.0, 5.0), advanced=True)
    recheck_s: float = setting(
        5.0, 'Time after which a sure object is asked about again, where a detector says where '
        'objects are; raising it leaves more time for doubtful ones', 's', (0.1, 3600.0),
        advanced=True)
    objects_per_question: int = setting(
        4, 'Most objects that the model is asked about in one question for a yes or no; raising '
        'it makes verdicts older', span=(1, 100), advanced=True)
    settled_s: float = setting(
        10.0, 'Where the plain topic has no sentence: time after which an unchanged sentence is '
        'no guest any more, and within which others count as having been there as long; raising '
        'it keeps the model longer for those that were there first', 's', (0.0, 3600.0),
        advanced=True)
    guest_share: float = setting(
        0.25, "Most of the model's time for guests while a sentence that is none waits. Guests "
        'are targets, descriptions, and all sentences beside that of the plain topic or, without '
        'one, those that are new or came later; raising it answers guests sooner and the others '
        'less often', span=(0.05, 1.0), advanced=True)
    crop_size: tuple[int, int] | None = None
    worth: Worth | None = None

    def __post_init__(self) -> None:
        """Reject settings with which nothing can be asked.

        Raises:
            ValueError: names the field and its allowed range.
        """
        check_settings(self)

    def for_model(self, model: Capabilities, crops: str = 'auto') -> 'Schedule':
        """Return these settings with what the engine and its model do not offer left out.

        Args:
            model: What the engine says about itself.
            crops: One of ``USES``.

        Raises:
            ValueError: ``crops`` is none of them.
        """
        cropped = is_used('crops', crops, model.crops)
        worth = Worth(recheck_s=self.recheck_s, most_objects=self.objects_per_question)
        return replace(self, crop_size=model.image_size if cropped else None,
                       worth=worth if 'verify' in model.tasks else None,
                       queries_per_pair=self.queries_per_pair if model.shares_images else 1)


@dataclass(frozen=True)
class Question:
    """What the model is asked about a pair.

    Attributes:
        query: The sentence.
        region: The part of the pair that is shown; None for the whole image.
        objects: The tracks that are asked about for a yes or no; empty to ask where what is meant
            is.
    """

    query: Query
    region: Region | None = None
    objects: tuple[Track, ...] = ()

    def view(self, pair: FramePair) -> FramePair:
        """Return what the model is shown of ``pair``."""
        return pair if self.region is None else pair.crop(self.region)


@dataclass
class _Attention:
    """What one query got so far: its epoch, turn and stamps of the last questions."""

    turn: int
    epoch: int | None = None
    asked_ns: int | None = None
    whole_ns: int | None = None


class Scheduler:
    """Ranks the active queries by need. Used by one thread at a time.

    Any thread may replace ``schedule`` and ``tracker`` at any time.

    Args:
        schedule: Settings; None takes the defaults.
        tracker: Settings of the tracker, which say what is known of model and detector; None
            takes the defaults.
    """

    def __init__(self, schedule: Schedule | None = None,
                 tracker: TrackerConfig | None = None) -> None:
        self.schedule, self.tracker = schedule or Schedule(), tracker or TrackerConfig()
        self._attention: dict[str, _Attention] = {}
        self._ground_s: float | None = None
        self._verify_s: float | None = None
        self._turn = 0
        self._met_ns: dict[int, int] = {}
        self._plain: int | None = None
        self._oldest_ns = 0

    def forget(self) -> None:
        """Forget which query was asked when, for a reset; how long each is there stays known."""
        self._attention.clear()
        self._turn = 0

    def meet(self, queries: Sequence[Query], stamp_ns: int) -> None:
        """Note which queries are active, for ``is_guest``; to be called with every pair."""
        self._met_ns = {query.epoch: min(self._met_ns.get(query.epoch, stamp_ns), stamp_ns)
                        for query in queries}
        sentences = [query for query in queries if not query.by_template]
        self._plain = next((query.epoch for query in sentences if query.id == DEFAULT_ID), None)
        self._oldest_ns = min((self._met_ns[query.epoch] for query in sentences), default=0)

    def is_guest(self, query: Query, stamp_ns: int) -> bool:
        """Return whether a query has no claim to the model before others.

        Targets are guests. The sentence of the plain topic, where there is one, is the host of all
        others. Else hosts are those that were there first and have not changed for a while. Who
        came later is a guest for ever: anybody can send sentences that do not change, too.
        """
        if query.by_template:
            return True
        if self._plain is not None:
            return query.epoch != self._plain
        met_ns, settled_ns = self._met_ns.get(query.epoch, stamp_ns), self.schedule.settled_s * 1e9
        return stamp_ns - met_ns < settled_ns or met_ns - self._oldest_ns > settled_ns

    def questions(self, pair: FramePair, queries: Sequence[Query],
                  tracks: Sequence[Track]) -> list[Question]:
        """Return one question for every query, the most needed one first.

        Args:
            pair: The pair to be asked about.
            queries: The active queries.
            tracks: All tracks as of ``pair``, lost and tentative ones included.
        """
        self._attention = {query.id: self._attention.get(query.id) or _Attention(self._turn)
                           for query in queries}
        ranked = sorted(queries, key=lambda query: self._rank(query, tracks))
        return [self._question(query, pair, tracks) for query in ranked]

    def now(self, questions: Sequence[Question]) -> list[Question]:
        """Return those of the ranked ``questions`` to put now: the first, and those that share it.

        Targets are looked for in windows of their own and share nothing.
        """
        return [question for question in questions[:self.schedule.queries_per_pair]
                if question is questions[0]
                or question.region is questions[0].region is None
                and not question.query.by_template and not questions[0].query.by_template]

    def asked(self, question: Question, stamp_ns: int) -> None:
        """Note that ``question`` is put about the pair at ``stamp_ns``."""
        known = self._attention[question.query.id]
        if known.epoch != question.query.epoch:
            known.whole_ns = None
        self._turn += 1
        known.turn, known.epoch, known.asked_ns = self._turn, question.query.epoch, stamp_ns
        if question.region is None and not question.objects:
            known.whole_ns = stamp_ns

    def took(self, question: Question, seconds: float) -> None:
        """Note how long the model took for a question, live only: a file is asked by its stamps.

        A single slow answer moves the estimate by a fifth.
        """
        if question.objects:
            self._verify_s = _learned(self._verify_s, seconds / len(question.objects))
        elif question.region is None:
            self._ground_s = _learned(self._ground_s, seconds)

    def _question(self, query: Query, pair: FramePair, tracks: Sequence[Track]) -> Question:
        objects = self._objects(query, pair, tracks)
        return (Question(query, objects=objects) if objects
                else Question(query, self._region(query, pair, tracks)))

    def _objects(self, query: Query, pair: FramePair, tracks: Sequence[Track]
                 ) -> tuple[Track, ...]:
        """Return the objects worth asking about one by one; none to ask about the image."""
        worth, known = self.schedule.worth, self._attention[query.id]
        detected = any(pair.stamp_ns - track.detected_ns <= DETECTOR_SILENT_S * 1e9
                       for track in tracks if track.detected_ns)
        if worth is None or not detected or query.by_template or needs_whole_image(query.text):
            return ()
        asked = known.whole_ns if known.epoch == query.epoch else None
        waited_s = math.inf if asked is None else max(pair.stamp_ns - asked, 0) * 1e-9
        worth = replace(worth, ground_s=self._ground_s or worth.ground_s,
                        verify_s=self._verify_s or worth.verify_s)
        return objects_to_verify(query, tracks, pair.stamp_ns, waited_s, worth, self.tracker)

    def waited_ns(self, query: Query, stamp_ns: int) -> int | None:
        """Return the stamp time since the query was asked; None if never, or the clock jumped."""
        known = self._attention.get(query.id)
        if known is None or known.asked_ns is None or known.epoch != query.epoch:
            return None
        return stamp_ns - known.asked_ns if stamp_ns >= known.asked_ns else None

    def _rank(self, query: Query, tracks: Sequence[Track]) -> tuple[int, int]:
        """Return the sort key of a query: its class of need, then the turn it last had."""
        known = self._attention[query.id]
        if self._turn - known.turn >= len(self._attention):
            need = 0
        elif known.epoch != query.epoch:
            need = 1
        else:
            mine = _expected(query, tracks)
            need = 2 if any(not self._is_sure(belief) for _, belief in mine) else 3
        return need, known.turn

    def _region(self, query: Query, pair: FramePair, tracks: Sequence[Track]) -> Region | None:
        """Return the part of the image worth asking about, None for all of it."""
        known, model_size = self._attention[query.id], self.schedule.crop_size
        if model_size is None or query.by_template or known.whole_ns is None \
                or known.epoch != query.epoch:
            return None
        mine = _expected(query, tracks)
        limit_ns = self.schedule.full_frame_interval_s * 1e9 - STAMP_JITTER_NS
        if not (0 <= pair.stamp_ns - known.whole_ns < limit_ns
                and all(self._is_sure(belief) for _, belief in mine)):
            return None
        return region_of_interest(as_boxes([track.box for track, _ in mine]),
                                  (pair.width, pair.height), model_size)

    def _is_sure(self, belief: Belief) -> bool:
        return (belief.state is TrackState.CONFIRMED
                and belief.score >= self.schedule.confident_score)


def _learned(known_s: float | None, seconds: float) -> float:
    return seconds if known_s is None else known_s + _LEARNING * (seconds - known_s)


def _expected(query: Query, tracks: Sequence[Track]) -> list[tuple[Track, Belief]]:
    """Return the tracks that an answer to a query may well contain, with what is believed."""
    return [(track, belief) for track in tracks
            if (belief := track.belief(query.id)) and belief.state is not TrackState.UNMEANT
            and belief.score >= _GONE_SCORE]
