"""Sentences that deny or relate are asked as two; a scripted model that reads neither answers."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rtrack_ros.engines.base import CancelledError, DeadlineError
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import FramePair
from rtrack_ros.language import splitting
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.queries import Query
from rtrack_ros.language.refine import Refiner, make_grounder
from rtrack_ros.language.splitting import (
    SplittingGrounder,
    SplittingVerifier,
    grounder_for,
    verifier_for,
)
from rtrack_ros.language.verifier import Verifier
from rtrack_ros.pipeline import PipelineConfig, build_pipeline

RED, BLUE, GREEN = (100, 300, 200, 700), (400, 300, 500, 700), (700, 300, 800, 700)
COLOURS = {RED: (200, 0, 0), BLUE: (0, 0, 200), GREEN: (0, 200, 0)}


class Model(ScriptedEngine):
    """Sees plain rectangles, no trucks, reads the word red and overlooks all else."""

    def __init__(self, splits=True, tasks=('ground', 'verify')):
        super().__init__(self._look, image_size=(1000, 1000), tasks=tasks)
        self._capabilities = replace(self._capabilities, split_sentences=splits)
        self.asked, self.deadlines = [], []

    def infer(self, images, prompt, grammar, max_tokens, deadline_s=None, *more, **others):
        self.deadlines.append(deadline_s)
        return super().infer(images, prompt, grammar, max_tokens, deadline_s, *more, **others)

    def _look(self, images, prompt):
        said = prompt.parts[0].partition('\n')[0]
        self.asked.append(re.sub(r'\[.*\] ', '', said))
        height, width = images[0].shape[:2]
        if said.startswith('verify'):
            x1, y1, x2, y2 = map(int, re.findall(r'\d+', said)[:4])
            middle = images[0][(y1 + y2) * height // 2000, (x1 + x2) * width // 2000]
            return 'Yes' if tuple(middle) == COLOURS[RED] or 'red' not in said else 'No'
        found = []
        if 'truck' in said:
            return '[]'
        for colour in [COLOURS[RED]] if 'red' in said else COLOURS.values():
            ys, xs = np.nonzero((images[0] == colour).all(axis=2))
            if len(xs):
                found.append([int(xs.min() * 1000 / width), int(ys.min() * 1000 / height),
                              int((xs.max() + 1) * 1000 / width),
                              int((ys.max() + 1) * 1000 / height)])
        return json.dumps([{'bbox_2d': box, 'label': 'person'} for box in sorted(found)])


def pair(stamp_ns=7):
    rgb = np.zeros((1000, 1000, 3), np.uint8)
    for (x1, y1, x2, y2), colour in COLOURS.items():
        rgb[y1:y2, x1:x2] = colour
    return FramePair(stamp_ns, rgb, np.zeros((1000, 1000), np.uint8))


def boxes(answer):
    return [grounding.box for grounding in answer.groundings]


def test_what_is_left_out_is_taken_from_what_is_spoken_of() -> None:
    model = Model()
    answer = SplittingGrounder(model).ground(pair(), Query('q', 'the person not in red', 3))
    assert boxes(answer) == [BLUE, GREEN]
    assert (answer.stamp_ns, answer.query_id, answer.epoch, answer.partial) == (7, 'q', 3, False)
    assert model.asked == ['every person in red', 'every person']


@pytest.mark.parametrize(('sentence', 'meant'), [
    ('the people right of the red man', [BLUE, GREEN]), ('the people left of the red man', []),
    ('the people not right of the red man', [RED])])
def test_who_is_related_to_what_is_said_by_geometry(sentence, meant) -> None:
    model = Model()
    assert boxes(SplittingGrounder(model).ground(pair(), Query('q', sentence, 3))) == meant
    assert model.asked[:2] == ['every red man', 'the people']


def test_to_what_is_not_there_nobody_is_related_and_nobody_is_asked_for() -> None:
    model = Model()
    answer = SplittingGrounder(model).ground(pair(), Query('q', 'the person behind the truck', 3))
    assert answer.groundings == () and (answer.stamp_ns, answer.epoch) == (7, 3)
    assert model.asked == ['every truck']


@pytest.mark.parametrize('sentence', ['the people', 'the person in red',
                                      'the nearest person not in red'])
def test_another_sentence_is_asked_as_it_stands(sentence) -> None:
    model = Model()
    query = Query('q', sentence, 3)
    assert boxes(SplittingGrounder(model).ground(pair(), query)) == boxes(
        Grounder(Model()).ground(pair(), query))
    assert model.asked == [sentence]
    assert SplittingVerifier(model).verify(pair(), RED, sentence) == 1.0
    assert model.asked[1:] == [f'verify {sentence}']


def test_boxes_passed_on_early_are_those_of_the_answer() -> None:
    early = []
    answer = SplittingGrounder(Model()).ground(
        pair(), Query('q', 'the people not in red', 3), on_partial=early.append)
    assert all(part.partial and part.groundings for part in early)
    assert boxes(early[0]) == [BLUE]
    assert all(set(boxes(part)) <= set(boxes(answer)) for part in early)


@pytest.mark.parametrize(('box', 'probability'), [(RED, 0.0), (BLUE, 1.0)])
def test_a_verdict_is_the_difference_of_two(box, probability) -> None:
    model = Model()
    assert SplittingVerifier(model).verify(pair(), box, 'the person not in red') == probability
    assert model.asked == ['verify the person', 'verify the person in red']


ASKS = {
    'ground': lambda model, **taken: SplittingGrounder(model).ground(
        pair(), Query('q', 'the people not in red', 3), **taken),
    'verify': lambda model, **taken: SplittingVerifier(model).verify(
        pair(), BLUE, 'the people not in red', **taken)}


@pytest.mark.parametrize('task', ASKS)
def test_the_deadline_holds_for_both_questions(task, monkeypatch) -> None:
    model = Model()
    monkeypatch.setattr(splitting, 'time', SimpleNamespace(
        perf_counter=lambda: 6.0 * len(model.asked)))
    ASKS[task](model, deadline_s=10.0)
    assert [left for left in model.deadlines if left is not None] == pytest.approx([10.0, 4.0],
                                                                                   abs=0.5)
    model.asked.clear()
    with pytest.raises(DeadlineError, match=r'both halves of the sentence within 5'):
        ASKS[task](model, deadline_s=5.0)
    assert len(model.asked) == 1


@pytest.mark.parametrize('task', ASKS)
def test_both_questions_are_taken_back(task) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CancelledError):
        ASKS[task](Model(), cancellation=cancellation)


@pytest.mark.parametrize(('splits', 'use', 'expected'), [
    (True, 'auto', True), (False, 'auto', False), (False, 'always', True),
    (True, 'never', False)])
def test_the_model_says_whether_it_gains_unless_the_user_does(splits, use, expected) -> None:
    model = Model(splits)
    assert isinstance(grounder_for(model, split_sentences=use), SplittingGrounder) is expected
    assert isinstance(verifier_for(model, use), SplittingVerifier) is expected
    assert isinstance(grounder_for(model, split_sentences=use), Grounder)
    assert isinstance(verifier_for(model, use), Verifier)


def test_a_model_that_cannot_verify_has_no_verifier() -> None:
    assert verifier_for(Model(tasks=('ground',))) is None


def test_an_unknown_use_is_refused() -> None:
    with pytest.raises(ValueError, match=r'split_sentences must be one of auto.*sometimes'):
        make_grounder(Model(), split_sentences='sometimes')


def test_a_second_look_judges_the_sentence_in_two_as_well() -> None:
    grounder = make_grounder(Model(), refine='always')
    assert isinstance(grounder, Refiner)
    answer = grounder.ground(pair(), Query('q', 'the people not in red', 3))
    assert boxes(answer) == [pytest.approx(BLUE, abs=3), pytest.approx(GREEN, abs=3)]


@pytest.mark.parametrize(('use', 'followed'), [('auto', [BLUE, GREEN]), ('never', [RED])])
def test_the_pipeline_follows_who_is_meant(use, followed) -> None:
    pipeline = build_pipeline(Model(), PipelineConfig(split_sentences=use, refine='never'),
                              live=False)
    try:
        pipeline.set_query('the people not in red')
        for index in range(3):
            tracks = pipeline.push(pair(index * 33_000_000))
    finally:
        pipeline.close()
    assert sorted(track.box for track in tracks) == [pytest.approx(box, abs=4)
                                                     for box in followed]
