"""Presence over frames: known counts, and agreement with a plain recount."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.metrics.presence import Presence, measure_presence
from rtrack_ros.evaluation.sequences import EvaluationSequence, by_frame

BOX = (0.0, 0.0, 9.0, 9.0)


def sequence(truth: list[bool], tracks: list[bool]) -> EvaluationSequence:
    def rows(there: list[bool]) -> dict[int, list[MotRow]]:
        return by_frame(MotRow(number, 1, BOX) for number, yes in enumerate(there, 1) if yes)

    return EvaluationSequence(rows(truth), rows(tracks), len(truth))


def test_false_alarms_show_in_the_absent_rate_where_f1_hides_them() -> None:
    always = sequence([True] * 9 + [False], [True] * 10)
    presence = measure_presence([always])
    assert presence.f1 == pytest.approx(94.74, abs=0.01)
    assert presence.absent_fpr == 100
    assert presence.recall == 100 and presence.precision == 90


def test_nobody_there_and_nobody_reported_is_perfect_silence() -> None:
    presence = measure_presence([sequence([False] * 4, [False] * 4)])
    assert presence.absent_fpr == 0
    assert presence.f1 is None and presence.recall is None


def test_ignored_truth_is_no_presence() -> None:
    ignored = EvaluationSequence(by_frame([MotRow(1, 1, BOX, score=0.0)]), {}, 1)
    assert measure_presence([ignored]) == Presence(absent_quiet=1)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=8),
                min_size=1, max_size=4))
def test_pooling_counts_every_frame_once(pairs: list[list[tuple[bool, bool]]]) -> None:
    presence = measure_presence(sequence([a for a, _ in pair], [b for _, b in pair])
                                for pair in pairs)
    flat = [frame for pair in pairs for frame in pair]
    assert presence == Presence(flat.count((True, True)), flat.count((True, False)),
                                flat.count((False, True)), flat.count((False, False)))
