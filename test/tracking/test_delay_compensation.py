"""A tracker with late answers ends exactly where a tracker with prompt answers ends.

Optical flow is replaced by the true motion, so that only the handling of time can differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.queries import Query
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.delay.propagation import Propagator
from rtrack_ros.tracking.history.frame import STILL, Motion
from rtrack_ros.tracking.history.views import Views
from rtrack_ros.tracking.motion.field import MotionField
from rtrack_ros.tracking.track import Track, TrackState
from rtrack_ros.tracking.track_book import Outcome
from rtrack_ros.tracking.tracker import Tracker

PERIOD_NS = 33_333_333
FRAMES = 90
EVERY = 6
QUERIES = (Query('default', 'all of them', 1),)
# Pictures show nothing here, so the network is left out.
CONFIG = TrackerConfig(history_length_s=4.0, max_lost_s=1.0, siamese_per_frame=0)


def where(name: str, index: int) -> np.ndarray:
    """The box of an object on a frame: straight, on a circle, growing, hidden, leaving."""
    t = index / 30
    x, y, width, height = {
        'straight': (40 + 60 * t, 30 + 10 * t, 30, 60),
        'circle': (400 + 40 * np.cos(2 * t), 60 + 40 * np.sin(2 * t), 40, 40),
        'growing': (150 + 5 * t, 200, 40 + 10 * t, 60 + 15 * t),
        'hidden': (300 + 30 * t, 330, 30, 70),
        'leaving': (30 + 20 * t, 380, 30, 60)}[name]
    return np.array([x, y, x + width, y + height], dtype=np.float64)


NAMES = ('straight', 'circle', 'growing', 'hidden', 'leaving')


def shown(name: str, index: int) -> bool:
    """Whether an object can be seen; the motion of a hidden one is not measured."""
    return not (name == 'hidden' and 30 <= index < 46)


def listed(name: str, index: int) -> bool:
    """Whether the answer about a frame lists an object."""
    begin = {'growing': 24}.get(name, 0)
    return index >= begin and shown(name, index) and not (name == 'leaving' and index > 24)


def pair(index: int) -> FramePair:
    """A black picture that carries its number in one pixel."""
    rgb = np.zeros((480, 640, 3), np.uint8)
    rgb[:4, :4] = index
    return FramePair(stamp(index), rgb, None)


def stamp(index: int) -> int:
    return 1_700_000_000_000_000_000 + index * PERIOD_NS


def answer(index: int, epoch: int = 1) -> Answer:
    return Answer(stamp(index), 'default', epoch, tuple(
        Grounding(tuple(float(edge) for edge in where(name, index)), name)
        for name in NAMES if listed(name, index)))


def true_motion(before: Views, after: Views, box: np.ndarray) -> Motion | None:
    first, second = int(before.rgb[0, 0, 0]), int(after.rgb[0, 0, 0])
    centre = (box[:2] + box[2:]) / 2
    for name in NAMES:
        old, new = where(name, first), where(name, second)
        near = np.linalg.norm((old[:2] + old[2:]) / 2 - centre) < 25
        if near and shown(name, first) and shown(name, second):
            shift = (new[:2] + new[2:] - old[:2] - old[2:]) / 2
            growth = np.sqrt(np.prod(new[2:] - new[:2]) / np.prod(old[2:] - old[:2]))
            return Motion((float(shift[0]), float(shift[1])), float(growth), 0.1)
    return None


class TrueMotion:
    """A motion source that knows how everything moved."""

    def measure_motion(self, before, after, boxes, expected, config) -> MotionField:
        return MotionField(STILL.copy(), [true_motion(before, after, box) for box in boxes])

    def measure_boxes(self, before, after, boxes, others, expected, camera, config):
        return [true_motion(before, after, box) for box in boxes]


def tracker(min_stride: int = 1) -> Tracker:
    """Return a tracker; longer strides share motion out evenly, exact for even motion only."""
    motion = TrueMotion()
    return Tracker(CONFIG, motion, propagator=Propagator(motion, min_stride, 1000))


def run(arrivals: dict[int, Sequence[int]], frames: int = FRAMES,
        min_stride: int = 1) -> Tracker:
    """Track; ``arrivals`` gives the answers that come after each frame."""
    subject = tracker(min_stride)
    for index in range(frames):
        subject.step(pair(index), QUERIES)
        for asked in arrivals.get(index, ()):
            assert subject.apply(answer(asked)) is Outcome.APPLIED
    return subject


def arriving(asked: Iterable[int], delay: int) -> dict[int, list[int]]:
    return {index + delay: [index] for index in asked}


def assert_same(late: Tracker, prompt: Tracker, within_px: float = 1e-6) -> None:
    mine, theirs = by_label(late.tracks()), by_label(prompt.tracks())
    assert mine.keys() == theirs.keys()
    for label, track in mine.items():
        twin = theirs[label]
        np.testing.assert_allclose(track.box, twin.box, atol=within_px)
        np.testing.assert_allclose(track.velocity, twin.velocity, atol=10 * within_px)
        assert track.score == pytest.approx(twin.score, abs=1e-2 * within_px)
        assert (track.state, track.confirmed_ns) == (twin.state, twin.confirmed_ns)
    for count in ('births', 'removals', 'frames'):
        assert getattr(late.counts, count) == getattr(prompt.counts, count), count
    assert late.counts.outcomes[Outcome.APPLIED] == prompt.counts.outcomes[Outcome.APPLIED]


def by_label(tracks: Sequence[Track]) -> dict[str, Track]:
    labels = {track.label: track for track in tracks}
    assert len(labels) == len(tracks), 'one track per object'
    return labels


@pytest.mark.parametrize('delay', [1, 5, 14, 29])
def test_late_answers_end_where_prompt_ones_end(delay: int) -> None:
    asked = range(0, FRAMES - 29, EVERY)
    late, prompt = run(arriving(asked, delay)), run(arriving(asked, 0))
    assert_same(late, prompt)
    assert prompt.counts.births == 5, 'births'
    assert prompt.counts.removals == 1, 'the object that left was no longer listed'
    for label, track in by_label(late.tracks()).items():
        assert track.state is TrackState.CONFIRMED
        assert np.abs(np.array(track.box) - where(label, FRAMES - 1)).max() < 4.0


@pytest.mark.parametrize('delay', [5, 29])
def test_strides_of_flow_change_boxes_by_less_than_a_pixel(delay: int) -> None:
    asked = range(0, FRAMES - 29, EVERY)
    assert_same(run(arriving(asked, delay), min_stride=5), run(arriving(asked, 0), min_stride=5),
                within_px=0.6)


def test_answers_in_any_order_end_where_ordered_ones_end() -> None:
    asked = list(range(54, 84, EVERY))
    first = {0: [0], 24: [24], 48: [48]}
    shuffled = np.random.default_rng(3).permutation(asked).tolist()
    assert shuffled != asked
    late = run({**first, FRAMES - 1: shuffled})
    assert_same(late, run({**first, **arriving(asked, 0)}))


def test_refused_answers_change_nothing_and_are_counted() -> None:
    plain = arriving(range(0, 60, EVERY), 20)
    subject, twin = run(plain, 80), run(plain, 80)
    before = subject.tracks()
    assert subject.apply(answer(54)) is Outcome.DUPLICATE
    assert subject.apply(answer(54, epoch=0)) is Outcome.STALE_EPOCH
    assert subject.apply(Answer(stamp(54) + 1, 'default', 1, ())) is Outcome.UNKNOWN_FRAME
    assert subject.apply(Answer(stamp(-300), 'default', 1, ())) is Outcome.LATE
    assert subject.tracks() == before == twin.tracks()
    counts = subject.counts
    assert twin.counts.outcomes == {Outcome.APPLIED: 10}
    assert counts.outcomes == {
        Outcome.APPLIED: 10, Outcome.DUPLICATE: 1, Outcome.STALE_EPOCH: 1,
        Outcome.UNKNOWN_FRAME: 1, Outcome.LATE: 1}


def test_after_a_clock_jump_old_answers_find_nothing() -> None:
    subject = run({0: [0], 30: [24]}, 40)
    births = subject.counts.births
    assert births == 5
    assert subject.step(pair(10), QUERIES) == []
    assert subject.apply(answer(36)) is Outcome.UNKNOWN_FRAME
    assert subject.apply(answer(6)) is Outcome.LATE
    assert subject.tracks() == []
    assert subject.apply(answer(10)) is Outcome.APPLIED
    counts = subject.counts
    outcomes = counts.outcomes
    assert (counts.resets, outcomes[Outcome.LATE], outcomes[Outcome.UNKNOWN_FRAME]) == (1, 1, 1)
    assert counts.births == births + 4


@pytest.mark.parametrize('delay', [6, 14, 29])
def test_boxes_applied_as_they_are_written_end_where_whole_answers_end(delay: int) -> None:
    # One question at a time, as a model is asked.
    asked = range(0, FRAMES - 29, max(EVERY, delay))
    whole, parts = run(arriving(asked, delay)), tracker()
    applied: list[int] = []
    for index in range(FRAMES):
        parts.step(pair(index), QUERIES)
        for late_by in range(1, delay):
            said = answer(index - late_by) if index - late_by in asked else None
            if said and late_by <= len(said.groundings):
                assert parts.apply(so_far(said, late_by)) is Outcome.APPLIED
        if index - delay in asked:
            applied.append(index - delay)
            assert parts.apply(answer(index - delay)) is Outcome.APPLIED
    assert applied == list(asked) and parts.counts.partial > len(applied)
    assert_same(parts, whole)


def so_far(said: Answer, boxes: int) -> Answer:
    return replace(said, groundings=said.groundings[:boxes], partial=True)


def test_a_box_counts_once_it_is_written_and_a_box_not_yet_written_says_nothing() -> None:
    subject = tracker()
    subject.step(pair(0), QUERIES)
    subject.apply(answer(0))
    for index in range(1, 25):
        subject.step(pair(index), QUERIES)
    before = by_label(subject.tracks())
    said = answer(24)
    new_object = [item for item in said.groundings if item.label == 'growing']
    part = Answer(said.stamp_ns, 'default', 1, tuple(new_object), partial=True)
    assert subject.apply(part) is Outcome.APPLIED
    after = by_label(subject.tracks())
    assert after.keys() - before.keys() == {'growing'}
    assert all(after[label] == before[label] for label in before)
    assert (subject.counts.outcomes[Outcome.APPLIED], subject.counts.partial) == (1, 1)
    again = subject.tracks()
    subject.apply(part)
    assert subject.tracks() == again, 'the same boxes once more'
    whole = Answer(said.stamp_ns, 'default', 1, tuple(new_object))
    assert subject.apply(whole) is Outcome.APPLIED
    assert by_label(subject.tracks())['growing'].id == after['growing'].id
    assert subject.apply(part) is Outcome.DUPLICATE
    assert subject.counts.outcomes == {Outcome.APPLIED: 2}
    contradicted = by_label(subject.tracks())
    assert all(contradicted[label].score < before[label].score for label in before)


def test_boxes_of_an_answer_that_failed_before_its_end_are_withdrawn() -> None:
    subject = tracker()
    subject.step(pair(0), QUERIES)
    subject.apply(answer(0))
    for index in range(1, 25):
        subject.step(pair(index), QUERIES)
    before = by_label(subject.tracks())
    said = answer(24)
    part = replace(said, partial=True)
    assert subject.apply(part) is Outcome.APPLIED
    born = by_label(subject.tracks()).keys() - before.keys()
    assert 'growing' in born
    subject.step(pair(25), QUERIES)
    assert subject.withdraw(QUERIES[0], said.stamp_ns) == len(born)
    # What was there before stays, with its id.
    left = by_label(subject.tracks())
    assert {label: track.id for label, track in left.items()} == {
        label: track.id for label, track in before.items()}
    # A box of it that comes late begins nothing.
    assert subject.apply(part) is Outcome.DUPLICATE
    assert by_label(subject.tracks()).keys() == before.keys()
    assert subject.withdraw(QUERIES[0], said.stamp_ns) == 0
    # The next answer is taken, and a whole one is never withdrawn.
    assert subject.apply(answer(25)) is Outcome.APPLIED
    whole = subject.tracks()
    assert subject.withdraw(QUERIES[0], answer(25).stamp_ns) == 0
    assert subject.tracks() == whole and len(whole) > len(before)
    assert subject.withdraw(QUERIES[0], 12345) == 0
