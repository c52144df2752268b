import numpy as np
import pytest

from rtrack_ros.language.self_test.pictures import RGB, THERMAL, draw_questions
from rtrack_ros.simulation.palette import CLOTHES

SIZES = [(256, 192), (640, 480), (644, 476), (1280, 704), (768, 416)]


@pytest.fixture(scope='module')
def questions():
    return draw_questions((256, 192))


def of(questions, sentence):
    return next(question for question in questions if question.sentence == sentence)


def test_the_pictures_are_the_same_at_every_call(questions):
    for one, other in zip(questions, draw_questions((256, 192)), strict=True):
        assert (one.sentence, one.boxes) == (other.sentence, other.boxes)
        np.testing.assert_array_equal(one.pair.rgb, other.pair.rgb)
        np.testing.assert_array_equal(one.pair.thermal, other.pair.thermal)


@pytest.mark.parametrize(('size', 'drawn'), [
    ((256, 192), (640, 480)), ((640, 480), (640, 480)), ((1280, 704), (1280, 704)),
    ((320, 256), (640, 512))])
def test_pictures_have_the_models_proportions_and_at_least_a_cameras_size(size, drawn):
    assert {(question.pair.width, question.pair.height)
            for question in draw_questions(size)} == {drawn}


@pytest.mark.parametrize('size', SIZES)
def test_what_is_asked_for_lies_whole_within_the_picture(size):
    for question in draw_questions(size):
        for x1, y1, x2, y2 in question.boxes:
            assert 0 <= x1 < x2 <= question.pair.width
            assert 0 <= y1 < y2 <= question.pair.height
            assert (y2 - y1) > 0.1 * question.pair.height


def test_place_colour_absence_and_heat_are_asked_for(questions):
    assert {question.sentence: len(question.boxes) for question in questions} == {
        'the red car': 1, 'the person in blue': 1, 'the person in yellow': 1,
        'the people on the left': 1, 'the dog': 0, 'every person': 1, 'all cars': 1}
    assert [question.sentence for question in questions if question.sensor == THERMAL] == [
        'every person', 'all cars']


@pytest.mark.parametrize(('sentence', 'colour'), [
    ('the red car', 'red'), ('the person in blue', 'blue'), ('the person in yellow', 'yellow')])
def test_a_box_holds_the_colour_that_its_sentence_names(questions, sentence, colour):
    question = of(questions, sentence)
    x1, y1, x2, y2 = (round(edge) for edge in question.boxes[0])
    far = np.abs(question.pair.rgb.astype(int) - CLOTHES[colour]).sum(axis=2) > 60
    assert np.mean(~far[y1:y2, x1:x2]) > 0.15
    far[y1:y2, x1:x2] = True
    assert far.mean() > 0.99


def test_who_is_on_the_left_is(questions):
    (x1, _, x2, _), = of(questions, 'the people on the left').boxes
    assert x2 < questions[0].pair.width / 2 and x1 > 0
    assert of(questions, 'the people on the left').boxes == of(
        questions, 'the person in yellow').boxes


def test_only_the_thermal_image_shows_what_is_in_the_dark(questions):
    question = of(questions, 'every person')
    x1, y1, x2, y2 = (round(edge) for edge in question.boxes[0])
    warm = question.pair.thermal
    assert not question.pair.rgb.any()
    assert warm[y1:y2, x1:x2].max() > 240 and np.median(warm) < 160


def test_a_question_without_its_image_has_the_other_one(questions):
    seen, felt = of(questions, 'the red car'), of(questions, 'all cars')
    assert seen.sensor == RGB and not seen.without_its_image().pair.rgb.any()
    assert seen.without_its_image().pair.thermal is seen.pair.thermal
    assert not felt.without_its_image().pair.thermal.any()
    assert felt.without_its_image().boxes == felt.boxes
