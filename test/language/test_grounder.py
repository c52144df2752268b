import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.coordinates import ProtocolError, model_from_pixels
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query

QUERY = Query('default', 'the red car', 7)
CAR = '[{"bbox_2d": [250, 500, 500, 1000], "label": "car"}]'


def pair(thermal=True):
    heat = np.full((480, 640), 9, np.uint8) if thermal else None
    return FramePair(123, np.full((480, 640, 3), 200, np.uint8), heat)


def test_an_answer_carries_the_frame_the_query_and_pixels_of_the_frame():
    answer = Grounder(ScriptedEngine([CAR])).ground(pair(), QUERY)
    assert (answer.stamp_ns, answer.query_id, answer.epoch) == (123, 'default', 7)
    assert [(one.box, one.label) for one in answer.groundings] == [((160, 240, 320, 480), 'car')]
    assert answer.present and answer.latency_ms > 0
    assert answer.groundings[0].score == 1.0


def test_pixels_of_the_resized_image_are_scaled_back():
    engine = ScriptedEngine([CAR.replace('1000', '250')], image_size=(320, 256),
                            bbox_protocol='abs_resized')
    with pytest.raises(AnswerError, match='y1 < y2'):
        Grounder(engine).ground(pair(), QUERY)
    engine = ScriptedEngine(['[{"bbox_2d": [80, 64, 160, 256], "label": "car"}]'],
                            image_size=(320, 256), bbox_protocol='abs_resized')
    assert Grounder(engine).ground(pair(), QUERY).groundings[0].box == (160, 120, 320, 480)


def test_the_engine_sees_the_sentence_rgb_and_thermal():
    def answer(images, prompt):
        assert 'the red car' in prompt.parts[0]
        assert [image.shape for image in images] == [(480, 640, 3)] * 2
        assert (images[0] == 200).all() and (images[1] == 9).all()
        return '[]'
    assert Grounder(ScriptedEngine(answer)).ground(pair(), QUERY).groundings == ()


def test_a_silent_thermal_camera_is_a_black_image():
    def answer(images, prompt):
        assert images[1].shape == (480, 640, 3) and not images[1].any()
        return '[]'
    assert not Grounder(ScriptedEngine(answer)).ground(pair(thermal=False), QUERY).present


def test_nonsense_is_an_answer_error():
    with pytest.raises(AnswerError, match='not JSON'):
        Grounder(ScriptedEngine(['the car is on the left'])).ground(pair(), QUERY)


def test_a_cut_answer_is_an_answer_error_even_where_it_could_be_read():
    class Cut(ScriptedEngine):
        def infer(self, images, prompt, grammar, max_tokens, deadline_s=None, on_text=None):
            return super().infer(images, prompt, grammar, 1, deadline_s)
    with pytest.raises(AnswerError, match='incomplete'):
        Grounder(Cut(['[] []'])).ground(pair(), QUERY)


def test_the_deadline_reaches_the_engine():
    with pytest.raises(EngineError, match='no answer within'):
        Grounder(ScriptedEngine(['[]'], delay_s=5.0)).ground(pair(), QUERY, deadline_s=0.01)


def test_a_model_of_unknown_protocol_is_refused_at_once():
    with pytest.raises(ProtocolError, match='rel1000'):
        Grounder(ScriptedEngine(['[]'], bbox_protocol='pixels'))


def test_the_grammar_is_bounded_by_the_boxes_and_words_asked_for():
    seen = []

    class Watching(ScriptedEngine):
        def infer(self, images, prompt, grammar, max_tokens, deadline_s=None, on_text=None):
            seen.append((grammar.regex, max_tokens))
            return super().infer(images, prompt, grammar, max_tokens, deadline_s)
    Grounder(Watching(['[]']), max_boxes=3, labels=['car', 'tram']).ground(pair(), QUERY)
    assert '(car|tram)' in seen[0][0] and '{0,2}' in seen[0][0] and seen[0][1] >= 3 * 35


def whole_pixels(limit):
    return st.lists(st.integers(0, limit), min_size=2, max_size=2, unique=True).map(sorted)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(whole_pixels(640), whole_pixels(480), whole_pixels(1000), whole_pixels(1000))
def test_a_box_in_a_crop_is_found_at_its_place_in_the_image(xs, ys, columns, rows):
    region = (xs[0], ys[0], xs[1], ys[1])
    text = json.dumps([{'bbox_2d': [columns[0], rows[0], columns[1], rows[1]], 'label': 'car'}])
    answer = Grounder(ScriptedEngine([text])).ground(pair().crop(region), QUERY)
    assert answer.region == region
    box = answer.groundings[0].box
    assert region[0] <= box[0] < box[2] <= region[2] and region[1] <= box[1] < box[3] <= region[3]
    inside = (box[0] - region[0], box[1] - region[1], box[2] - region[0], box[3] - region[1])
    again = model_from_pixels(inside, 'rel1000', (region[2] - region[0], region[3] - region[1]),
                              (256, 192))
    assert again == pytest.approx((columns[0], rows[0], columns[1], rows[1]), abs=1e-6)


def test_an_answer_about_the_whole_image_has_no_region():
    assert Grounder(ScriptedEngine([CAR])).ground(pair(), QUERY).region is None


class Sharing(ScriptedEngine):
    """An engine whose encodings are the images themselves, and which counts them."""

    def __init__(self):
        super().__init__([CAR])
        self.encoded = []
        self.deadlines = []

    def capabilities(self):
        return replace(super().capabilities(), shares_images=True)

    def encode(self, images):
        self.encoded.append(images[0])
        return images

    def answer(self, seen, prompt, grammar, max_tokens, deadline_s=None, on_text=None):
        self.deadlines.append(deadline_s)
        return self.infer(seen, prompt, grammar, max_tokens, deadline_s)


def test_questions_about_one_pair_share_one_encoding_and_other_pairs_have_their_own():
    engine = Sharing()
    grounder, first, second = Grounder(engine), pair(), pair()
    answers = [grounder.ground(view, QUERY) for view in
               (first, first, second, first.crop((0, 0, 320, 240)), first)]
    assert [image.shape for image in engine.encoded] == [
        (480, 640, 3), (480, 640, 3), (240, 320, 3), (480, 640, 3)]
    assert [answer.region for answer in answers] == [None, None, None, (0, 0, 320, 240), None]
    assert answers[0].groundings == answers[1].groundings


def test_the_encoding_counts_towards_the_deadline():
    engine = Sharing()
    Grounder(engine).ground(pair(), QUERY, deadline_s=60.0)
    assert 0 < engine.deadlines[0] < 60.0


TWO = ('[{"bbox_2d": [250, 500, 500, 1000], "label": "car"}, '
       '{"bbox_2d": [0, 0, 9, 9], "label": "van"}')


def passed_on(text: str) -> list:
    partial: list = []
    try:
        Grounder(ScriptedEngine([text])).ground(pair(), QUERY, on_partial=partial.append)
    except AnswerError:
        partial.append('refused')
    return partial


def test_boxes_are_passed_on_as_soon_as_they_are_written():
    first, second = passed_on(TWO + ']')
    assert first.partial and second.partial and first.epoch == 7
    assert [one.label for one in first.groundings] == ['car']
    assert [one.label for one in second.groundings] == ['car', 'van']
    assert first.groundings[0].box == second.groundings[0].box == (160, 240, 320, 480)


def test_an_empty_answer_passes_on_nothing_early():
    assert passed_on('[]') == []


@pytest.mark.parametrize(('text', 'boxes'), [
    (TWO + ', {"bbox_2d": [9, 9, 0, 0], "label": "car"}]', 2), ('{"bbox_2d": [1, 2, 3, 4]}', 0)])
def test_boxes_before_an_error_are_passed_on_and_the_answer_is_refused(text, boxes):
    *partial, end = passed_on(text)
    assert end == 'refused' and len(partial) == boxes
