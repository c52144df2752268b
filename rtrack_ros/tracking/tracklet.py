"""One track besides its motion: its evidence, how it stands to every sentence, and how it looks.

``tracking.belief`` says how evidence is weighed. Evidence is kept while answers about earlier
frames may come, so the order in which answers arrive does not matter.
"""

from bisect import insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.boxes import share_inside
from rtrack_ros.tracking.appearance.histogram import Appearance
from rtrack_ros.tracking.appearance.siamese import Patch
from rtrack_ros.tracking.belief import Certainty, Evidence, Key
from rtrack_ros.tracking.class_votes import ClassVotes
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.history.frame import Frame
from rtrack_ros.tracking.motion import kalman
from rtrack_ros.tracking.track import TrackState

_MIN_INSIDE = 0.25
_MEMORY_SHARE = 0.3
_DETECTED_LATELY_S = 0.5
# A target that its own filter sees: how often that is evidence, its likelihood ratio, and the
# least probability afterwards. It lies above ``min_score``, and low enough to say doubt.
_SIGHT_S, _SIGHT_RATIO, _SIGHT_LEAST = 0.25, 2.0, 0.3
_FAR_NS = 1 << 62
_SURE_AFTER_S = 1.0
# A model is never surer of its yes or no than this.
_SUREST_VERDICT = 0.95


@dataclass(frozen=True)
class BoxStatus:
    """What is known of the box of a track on one frame.

    Attributes:
        stamp_ns: Stamp of the frame.
        located: Probability that the box is on its object if the object is there, in [0, 1].
        coasting_s: Seconds without flow.
        inside: Share of the box that lies in the image, in [0, 1].
    """

    stamp_ns: int
    located: float
    coasting_s: float
    inside: float

    def in_sight(self, config: TrackerConfig) -> bool:
        """Return whether the box was followed lately and lies in the image."""
        return self.coasting_s <= config.lost_after_s and self.inside >= _MIN_INSIDE


def box_statuses(frame: Frame, ids: Sequence[int], states: kalman.States) -> list[BoxStatus]:
    """Return the status of the boxes of the tracks ``ids`` on a frame, from their states there."""
    located, inside = kalman.located(states), share_inside(kalman.boxes_of(states), frame.region)
    return [BoxStatus(frame.stamp_ns, sure, frame.coasting_s.get(track_id, 0.0), share)
            for track_id, sure, share in zip(ids, located.tolist(), inside.tolist(), strict=True)]


@dataclass
class Standing:
    """How an object stands to a sentence whose answers listed it.

    Attributes:
        hits: Answers that listed it so far, and verdicts that affirmed it.
        confirmed_ns: Stamp of the newest frame on which one did.
        state: Tentative, confirmed or lost.
        lost_ns: Stamp at which it was lost, None otherwise.
    """

    hits: int = 0
    confirmed_ns: int = 0
    state: TrackState = TrackState.TENTATIVE
    lost_ns: int | None = None

    @property
    def known(self) -> bool:
        """Whether more than one answer listed it."""
        return self.hits > 1

    def judge(self, supported: bool, probability: float, stamp_ns: int,
              config: TrackerConfig) -> bool:
        """Decide the state on a frame; returns False if the sentence gives the object up.

        Args:
            supported: Whether it is in sight and scores enough.
            probability: That it is there and meant, in [0, 1].
            stamp_ns: Stamp of the frame.
            config: Tracker settings.
        """
        confirmed = self.hits >= config.hits_to_confirm
        if supported:
            self.lost_ns = None
            self.state = TrackState.CONFIRMED if confirmed else TrackState.TENTATIVE
            return True
        # An object that no longer matches may match again soon, and keeps its standing then.
        if not confirmed or (probability < config.min_existence and not self.known):
            return False
        if self.known or self.state is not TrackState.TENTATIVE:
            self.state = TrackState.LOST
        self.lost_ns = stamp_ns if self.lost_ns is None else self.lost_ns
        return stamp_ns - self.lost_ns <= config.max_lost_s * 1e9


@dataclass
class Tracklet:
    """What is remembered about one object besides its motion.

    Attributes:
        id: Positive, never given to another object.
        label: The model's or the detector's word for it.
        certainty: What is believed at ``settled_ns``, from the evidence settled by then.
        settled_ns: Stamp of that belief.
        standings: By sentence, how it stands to those whose answers listed it.
        evidence: What was said since ``settled_ns``, by stamp.
        heard_ns: By sentence, stamp of the newest frame on which anything was said.
        detected_ns: Stamp of the newest frame on which a detector saw it, 0 without one.
        votes: What a detector called it.
        leanings: What that says about each sentence, see ``Certainty.leanings``.
        appearance: Remembered appearance.
        template: Patch of the newest answer's box, None where the box lies outside the image.
        template_ns: Stamp of that answer.
        sighted_ns: Stamp of the newest sharp sight that was taken as evidence.
        redetected_ns: Stamp of the newest frame on which the network looked for it.
        was_sure: Whether two answers or detections named it, so that it is worth remembering.
        distinct_from: Stamp of the newest frame on which somebody listed a track beside this one:
            they are other objects.
    """

    id: int
    label: str
    certainty: Certainty
    settled_ns: int
    standings: dict[Key, Standing] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    heard_ns: dict[Key, int] = field(default_factory=dict)
    detected_ns: int = 0
    votes: ClassVotes = field(default_factory=ClassVotes)
    leanings: dict[Key, float] = field(default_factory=dict)
    appearance: Appearance | None = None
    template: Patch | None = None
    template_ns: int = 0
    sighted_ns: int = -_FAR_NS
    redetected_ns: int = 0
    was_sure: bool = False
    distinct_from: dict[int, int] = field(default_factory=dict)

    def rests_on(self, key: Key, stamp_ns: int) -> bool:
        """Whether one answer to one sentence, about the frame of a stamp, is all it has."""
        return not self.detected_ns and set(self.standings) == {key} and (
            self.standings[key].hits == 1 and self.standings[key].confirmed_ns == stamp_ns)

    def certainty_at(self, stamp_ns: int, config: TrackerConfig) -> Certainty:
        """Return what is believed at a stamp, from what was said about frames up to it."""
        believed = replace(self.certainty, meant=dict(self.certainty.meant),
                           leanings=self.leanings)
        for key in self.leanings.keys() - believed.meant.keys():
            believed.meant[key] = config.belief_prior
        since_ns = self.settled_ns
        for item in self.evidence:
            if item.stamp_ns > stamp_ns:
                break
            believed.age((item.stamp_ns - since_ns) * 1e-9, config)
            believed.weigh(item, config)
            since_ns = item.stamp_ns
        believed.age((stamp_ns - since_ns) * 1e-9, config)
        return believed

    def settle(self, stamp_ns: int, config: TrackerConfig) -> None:
        """Take evidence up to a stamp for final: no answer about an earlier frame is accepted."""
        if self.evidence and self.evidence[0].stamp_ns <= stamp_ns:
            self.certainty = self.certainty_at(stamp_ns, config)
            self.settled_ns = max(stamp_ns, self.settled_ns)
            self.evidence = [item for item in self.evidence if item.stamp_ns > stamp_ns]

    def confirm(self, key: Key, stamp_ns: int, config: TrackerConfig,
                watched: bool = False) -> None:
        """Take an answer to a sentence about the frame at ``stamp_ns`` that lists this object.

        Args:
            key: The sentence.
            stamp_ns: Stamp of the frame of the answer.
            config: Tracker settings.
            watched: Whether a detector that knows this kind of thing says what is there.
        """
        # A listed object is at least as probable as a new one, however low it was. Not so where a
        # detector saw it all the time: then it was not meant before, and did not come back. Nor
        # where a detector looks for such things all the time, and does not see it.
        seen = watched or self._detected_lately(stamp_ns)
        self._take(Evidence(stamp_ns, key, config.accuracy.confirming_ratio,
                            least=0.0 if seen else config.max_initial_existence))
        self._affirm(key, stamp_ns)
        self.was_sure = True

    def contradict(self, key: Key, stamp_ns: int, visible: float, config: TrackerConfig) -> None:
        """Take an answer to a sentence that does not list this object.

        Args:
            key: The sentence.
            stamp_ns: Stamp of the frame of the answer.
            visible: How surely it should have been listed if it is meant, in [0, 1].
            config: Tracker settings.
        """
        self._take(Evidence(stamp_ns, key, config.accuracy.omitting_ratio ** visible))

    def sighted(self, key: Key, stamp_ns: int) -> None:
        """Take a sharp sight of this target: while that lasts, no answer ends it."""
        if stamp_ns - self.sighted_ns >= _SIGHT_S * 1e9:
            self._take(Evidence(stamp_ns, key, _SIGHT_RATIO, least=_SIGHT_LEAST))
            self.sighted_ns = stamp_ns

    def detected(self, stamp_ns: int, accuracy: AnswerAccuracy, weight: float,
                 word: str = '', least: float = 0.0) -> None:
        """Take a detection of this object.

        Args:
            stamp_ns: Stamp of the frame of the detection.
            accuracy: Of the detector.
            weight: What it says that is new, in [0, 1].
            word: The class that the detector names.
            least: Existence that the same detection would give a new object: one that was given
                up may have come back, which is no less probable.
        """
        self.votes.add(word, weight)
        self._take(Evidence(stamp_ns, None, accuracy.confirming_ratio ** weight, least=least,
                            found=weight))
        self.was_sure |= stamp_ns - self.settled_ns >= _SURE_AFTER_S * 1e9
        self.detected_ns = max(self.detected_ns, stamp_ns)

    def seen_somewhere(self, stamp_ns: int, accuracy: AnswerAccuracy, weight: float) -> None:
        """Take detections in one of which it is: it is there, and nothing else is known."""
        self._take(Evidence(stamp_ns, None, accuracy.confirming_ratio ** weight, found=weight))
        self.detected_ns = max(self.detected_ns, stamp_ns)

    def missed(self, stamp_ns: int, accuracy: AnswerAccuracy, weight: float) -> None:
        """Take a set of detections without this object; ``weight`` includes how visible it is."""
        self._take(Evidence(stamp_ns, None, accuracy.omitting_ratio ** weight, found=-weight))

    def take_verdict(self, key: Key, stamp_ns: int, probability: float,
                     watched: bool = False) -> None:
        """Take the model's yes or no about this object.

        Args:
            key: The sentence.
            stamp_ns: Stamp of the frame that was asked about.
            probability: Of a yes, in [0, 1].
            watched: Whether a detector that knows this kind of thing says what is there. Of an
                object that it never saw the verdict then says only what is meant: a model that
                takes a tree for a person does so again and again.
        """
        sure = min(max(probability, 1 - _SUREST_VERDICT), _SUREST_VERDICT)
        self._take(Evidence(stamp_ns, key, sure / (1 - sure),
                            there=bool(self.detected_ns) or not watched))
        if probability >= 0.5:
            self._affirm(key, stamp_ns)

    def named(self, key: Key, votes: float, stamp_ns: int) -> None:
        """Take what it is called for an answer: the sentence means every object of that name.

        Args:
            key: The sentence.
            votes: Votes for that name; each whole one counts as an answer.
            stamp_ns: Stamp of the newest one.
        """
        standing = self.standings.setdefault(key, Standing())
        standing.hits = max(standing.hits, int(votes))
        standing.confirmed_ns = max(standing.confirmed_ns, stamp_ns)

    def absorb(self, other: 'Tracklet') -> None:
        """Take over the sentences of a track of the same object, but those known here."""
        self.votes.join(other.votes)
        for key in other.standings.keys() - self.standings.keys():
            self.standings[key] = other.standings[key]
            self.certainty.meant[key] = other.certainty.meant.get(key, 0.0)
            for item in other.evidence:
                if item.key == key:
                    self._take(item)

    def remember(self, appearance: Appearance | None) -> None:
        """Blend how it looks now into how it is remembered."""
        if appearance is not None:
            self.appearance = (self.appearance.blended(appearance, _MEMORY_SHARE)
                               if self.appearance else appearance)

    def keep_only(self, keys: Collection[Key]) -> None:
        """Forget all sentences but these; what was said about existence stays."""
        for key in self.standings.keys() - keys:
            del self.standings[key]
        needed = {*keys, *(item.key for item in self.evidence)}
        for key in self.certainty.meant.keys() - needed:
            del self.certainty.meant[key]
        for key in self.heard_ns.keys() - keys:
            del self.heard_ns[key]

    def rejudge(self, stamp_ns: int) -> None:
        """Forget what was decided about frames from a stamp on, before it is decided again."""
        for standing in self.standings.values():
            if standing.lost_ns is not None and standing.lost_ns >= stamp_ns:
                standing.lost_ns = None

    def is_supported(self, status: BoxStatus, key: Key | None, config: TrackerConfig) -> bool:
        """Return whether it was in sight and probable enough, as what a sentence means if listed.

        Args:
            status: Status of its box on the frame.
            key: The sentence; None asks for existence alone.
            config: Tracker settings.
        """
        believed = self.certainty_at(status.stamp_ns, config)
        probability = (believed.of(key) if key is not None and key in self.standings
                       else believed.existence)
        return status.in_sight(config) and probability * status.located >= config.min_score

    def update_state(self, status: BoxStatus, least: float, config: TrackerConfig) -> bool:
        """Decide the states on a frame; returns False if the track is to be removed.

        Args:
            status: Status of its box on the frame.
            least: Existence below which it is forgotten once no sentence means it.
            config: Tracker settings.
        """
        believed, in_sight = self.certainty_at(status.stamp_ns, config), status.in_sight(config)
        for key, standing in list(self.standings.items()):
            probability = believed.of(key)
            supported = in_sight and probability * status.located >= config.min_score
            if not standing.judge(supported, probability, status.stamp_ns, config):
                del self.standings[key]
        return bool(self.standings) or (in_sight
                                        and believed.existence * status.located >= least)

    def _take(self, evidence: Evidence) -> None:
        insort(self.evidence, evidence, key=_order)
        if evidence.key is not None:
            self.heard_ns[evidence.key] = max(self.heard_ns.get(evidence.key, 0),
                                              evidence.stamp_ns)

    def _detected_lately(self, stamp_ns: int) -> bool:
        return abs(stamp_ns - self.detected_ns) <= _DETECTED_LATELY_S * 1e9

    def _affirm(self, key: Key, stamp_ns: int) -> None:
        standing = self.standings.setdefault(key, Standing())
        standing.hits += 1
        standing.confirmed_ns = max(standing.confirmed_ns, stamp_ns)


def _order(evidence: Evidence) -> tuple[int, Key, float]:
    """Sort by stamp; at one stamp by what does not depend on the order of arrival."""
    return evidence.stamp_ns, evidence.key or ('', 0), evidence.meant
