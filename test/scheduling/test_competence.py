"""Competence: a model is examined, then held against the eye, before it is believed."""

import pytest

from rtrack_ros.scheduling.competence import TRUSTED, Competence, exam_places, overlap

SEEN = (100.0, 100.0, 140.0, 180.0)
NEAR = (104.0, 102.0, 146.0, 180.0)
FAR = (300.0, 100.0, 340.0, 180.0)


def examined(*passed: bool) -> Competence:
    known = Competence()
    known.take_exam(passed)
    return known


def test_before_an_examination_a_model_is_believed_a_little():
    assert TRUSTED < Competence().trust < 0.8 and not Competence().examined


def test_who_fails_is_not_believed_and_who_passes_is():
    assert examined(True, True).trust > 0.85
    assert examined(True, False).trust < TRUSTED
    assert examined(False, False).trust < 0.2


def test_the_middle_of_the_window_does_not_pass():
    for place in exam_places(SEEN):
        assert overlap(place, SEEN) < 0.3


def test_a_failed_model_moves_nothing_and_its_silence_weighs_nothing():
    known = examined(False, False)
    for found in (FAR, None, NEAR):
        belief = known.hear(found, None)
        assert not belief.box and belief.trust == 0


def test_what_the_eye_sees_at_every_look_is_not_moved_by_a_word():
    known = examined(True, True)
    assert not any(known.hear(FAR, SEEN).box for _ in range(20))


def test_once_the_eye_was_lost_the_third_other_place_in_a_row_is_believed():
    known = examined(True, True)
    known.hear(None, None)
    assert [known.hear(FAR, SEEN).box for _ in range(3)] == [False, False, True]
    known = examined(True, True)
    known.hear(None, None)
    said = [known.hear(found, SEEN).box for found in (FAR, FAR, NEAR, FAR, FAR, FAR)]
    assert said == [False, False, True, False, False, False], 'they agreed in between'


def test_without_the_eye_a_good_model_is_believed_at_once():
    belief = examined(True, True).hear(FAR, None)
    assert belief.box and belief.trust > 0.85


def test_who_contradicts_sure_sight_again_and_again_loses_weight():
    known = examined(True, True)
    for _ in range(15):
        known.hear(None, SEEN)
    assert known.trust < TRUSTED and known.hear(None, SEEN).trust == 0


def test_trust_comes_back_when_the_model_begins_to_see_the_target():
    known = examined(False, False)
    told = [known.hear(NEAR, SEEN).box for _ in range(30)]
    assert not told[0] and told[-1] and known.trust == pytest.approx(0.8, abs=0.15)


def test_silence_of_a_good_model_weighs_what_it_is_trusted():
    known = examined(True, True)
    assert known.hear(None, None).trust == pytest.approx(known.trust)
