"""The self-test on engines that know the answers and are spoilt in one way each."""

import time
from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.engines.base import Capabilities, DeadlineError, EngineError, Reply
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.language.grammar import render_answer
from rtrack_ros.language.self_test import run_self_test, self_test, verdict
from rtrack_ros.language.self_test.pictures import RGB, draw_questions

SIZE = (644, 476)
QUESTIONS = draw_questions(SIZE)


class Oracle:
    """Answers rightly when it is shown the right images; writes coordinates by ``writes``.

    Args:
        configured: The protocol it claims.
        writes: The one it uses.
        shown: What becomes of its images.
        moved: Pixels to the right by which its boxes are wrong.
        wrong: Sentences that it gets wrong.
        text: What it says whatever it is asked; '' for the truth.
    """

    def __init__(self, configured='rel1000', writes='rel1000', shown=list, moved=0.0, wrong=(),
                 text='', finish='stop', seconds=0.0, family=''):
        self.writes, self.shown, self.moved, self.wrong = writes, shown, moved, wrong
        self.text, self.finish, self.seconds, self.asked = text, finish, seconds, 0
        self.model = Capabilities('oracle', 'oracle', 'CPU', 'none', configured, SIZE, True,
                                  prompt='full', family=family)

    def capabilities(self):
        return self.model

    def infer(self, images, prompt, grammar, max_tokens, deadline_s=None, on_text=None,
              cancellation=None):
        self.asked += 1
        time.sleep(self.seconds)
        asked = ''.join(part or '' for part in prompt.parts)
        question = next(item for item in QUESTIONS if f': {item.sentence}\n' in asked)
        rgb, thermal = self.shown(images)
        whole = question.pair.images()
        seen = (np.array_equal(rgb, whole[0]) if question.sensor == RGB
                else np.array_equal(thermal, whole[1]))
        meant = question.boxes if seen and question.sentence not in self.wrong else ()
        items = [(model_from_pixels((x1 + self.moved, y1, x2 + self.moved, y2), self.writes,
                                    (whole[0].shape[1], whole[0].shape[0]), SIZE), 'it')
                 for x1, y1, x2, y2 in meant]
        return Reply(self.text or render_answer(items), 9, self.finish, {'total': 1.0})

    def close(self):
        pass


def swapped(images):
    return list(reversed(images))


def black(*places):
    return lambda images: [np.zeros_like(image) if place in places else image
                           for place, image in enumerate(images)]


@pytest.mark.parametrize('protocol', ['rel1000', 'abs_resized'])
def test_a_model_that_knows_the_answers_is_fine_after_seven_questions(protocol):
    engine = Oracle(protocol, protocol)
    found = self_test(engine)
    assert (found.kind, found.right, found.asked, found.ok) == (verdict.FINE, 7, 7, True)
    assert found.overlap == pytest.approx(1.0, abs=0.05) and engine.asked == 7


@pytest.mark.parametrize(('configured', 'writes'), [
    ('rel1000', 'abs_resized'), ('abs_resized', 'rel1000')])
def test_boxes_in_another_coordinate_system_are_named(configured, writes):
    found = self_test(Oracle(configured, writes))
    assert found.kind == verdict.OTHER_PROTOCOL and not found.ok
    assert f'its boxes fit {writes}, {configured} is configured' in str(found)


@pytest.mark.parametrize(('shown', 'kind', 'sentence'), [
    (swapped, verdict.SWAPPED, 'in the wrong order: it answers right when thermal is sent'),
    (black(0), verdict.BLIND, 'does not see the RGB image'),
    (black(1), verdict.BLIND, 'does not see the thermal image'),
    (black(0, 1), verdict.BLIND, 'it sees nothing')])
def test_images_that_arrive_wrongly_are_told_apart(shown, kind, sentence):
    found = self_test(Oracle(shown=shown))
    assert found.kind == kind and sentence in found.sentence and found.remedy


@pytest.mark.parametrize('text', ['I see a red car.', '[{"bbox_2d": [1, 2], "label": "car"}]'])
def test_answers_that_nobody_can_read_are_shown(text):
    found = self_test(Oracle(text=text))
    assert found.kind == verdict.UNREADABLE and text[:20] in found.sentence


def test_answers_that_are_cut_off_cannot_be_read():
    assert self_test(Oracle(finish='length')).kind == verdict.UNREADABLE


def test_a_model_that_always_says_nothing_sees_nothing():
    assert self_test(Oracle(text='[]')).kind == verdict.BLIND


def test_boxes_beside_the_objects_are_wrong_with_an_example():
    found = self_test(Oracle(moved=40.0))
    assert found.kind == verdict.WRONG
    assert "'the person in blue' is at [[" in found.sentence or (
        "'the red car' is at [[" in found.sentence)


def test_one_wrong_answer_of_seven_is_borne_and_two_are_not():
    one, two = ('the red car',), ('the red car', 'the people on the left')
    assert self_test(Oracle(wrong=one)).kind == verdict.FINE
    found = self_test(Oracle(wrong=two))
    assert (found.kind, found.right) == (verdict.WRONG, 5)


def test_the_thresholds_are_those_of_the_family():
    # Moved by 10 pixels, the boxes of those who stand overlap by more than 0.5, less than 0.6.
    loose, strict = (self_test(Oracle(moved=10.0, family=family))
                     for family in ('qwen3_vl', 'rtrack-nano'))
    assert (loose.kind, strict.kind) == (verdict.FINE, verdict.WRONG)


def test_an_answer_later_than_the_deadline_is_too_slow():
    found = self_test(Oracle(seconds=0.02), deadline_s=0.01)
    assert found.kind == verdict.SLOW and found.right == 7 and '0.01 s are allowed' in str(found)
    assert self_test(Oracle(seconds=0.001), deadline_s=5.0).kind == verdict.FINE


class Late(Oracle):
    def infer(self, *args, **options):
        raise DeadlineError('no answer')


class Broken(Oracle):
    def infer(self, *args, **options):
        raise EngineError('out of memory; buy some')


def test_no_answer_at_all_is_too_slow():
    found = self_test(Late(), deadline_s=20.0)
    assert found.kind == verdict.SLOW and 'no answer within 60 s' in found.sentence


@pytest.mark.parametrize('engine', [Oracle(text='[]'), Broken()], ids=['fails', 'breaks'])
def test_a_failing_engine_is_refused_or_warned_of_or_not_asked(engine):
    warnings = []
    with pytest.raises(EngineError, match='it sees nothing.*projector|buy some'):
        run_self_test(engine, 'refuse', warnings.append)
    assert warnings == []
    run_self_test(engine, 'warn', warnings.append)
    assert len(warnings) == 1 and 'self-test' in warnings[0]
    assert run_self_test(engine, 'off', warnings.append) is None and len(warnings) == 1


def test_a_good_engine_is_let_through_without_a_word():
    warnings = []
    assert run_self_test(Oracle(), 'refuse', warnings.append).ok and warnings == []


def test_the_scripted_engine_which_sees_nothing_is_let_be():
    assert run_self_test(ScriptedEngine(['[]']), 'refuse', print) is None


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="refuse, warn, off; got 'perhaps'"):
        run_self_test(Oracle(), 'perhaps', print)


def test_an_engine_that_keeps_its_images_is_asked_with_one_encoding_a_picture():
    class Sharing(Oracle):
        def __init__(self):
            super().__init__()
            self.model, self.encoded = replace(self.model, shares_images=True), 0

        def encode(self, images):
            self.encoded += 1
            return images

        answer = Oracle.infer

    engine = Sharing()
    assert self_test(engine).kind == verdict.FINE and engine.encoded == 2
