"""Several threads may ask one engine: images are encoded once, questions can be taken back."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.engines.base import CancelledError
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.describer import Describer
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.locator import Locator
from rtrack_ros.language.queries import Query
from rtrack_ros.language.refine import make_grounder
from rtrack_ros.language.verifier import Verifier

CAR = '[{"bbox_2d": [250, 500, 500, 1000], "label": "car"}]'
BOX = (300.0, 200.0, 340.0, 280.0)
LIMIT_S = 20.0


def pair(value: int = 9) -> FramePair:
    return FramePair(5, np.full((480, 640, 3), value, np.uint8), None)


class Sharing(ScriptedEngine):
    """Encodes slowly, and answers only when as many as it is told are asked at once."""

    def __init__(self, script, at_once: int, concurrency: int = 4):
        super().__init__(script)
        self.encoded = []
        self._at_once = threading.Barrier(at_once)
        self._concurrency = concurrency

    def capabilities(self):
        return replace(super().capabilities(), shares_images=True, concurrency=self._concurrency)

    def encode(self, images):
        threading.Event().wait(0.05)
        self.encoded.append(int(images[0][0, 0, 0]))
        return images

    def answer(self, seen, prompt, grammar, max_tokens, deadline_s=None, on_text=None,
               cancellation=None):
        self._at_once.wait(LIMIT_S)
        return self.infer(seen, prompt, grammar, max_tokens, deadline_s)


def test_sentences_that_are_asked_at_once_share_one_encoding():
    engine, shown = Sharing([CAR], 4), pair()
    grounder = Grounder(engine)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(
            lambda number: grounder.ground(shown, Query(f'q{number}', 'a car', 1)), range(4)))
    assert engine.encoded == [9]
    assert [answer.query_id for answer in answers] == ['q0', 'q1', 'q2', 'q3']


def test_a_newer_pair_between_does_not_cost_the_older_one_its_encoding():
    engine, old, new = Sharing([CAR], 1, concurrency=2), pair(1), pair(2)
    grounder = Grounder(engine)
    for shown in (old, new, old, new):
        grounder.ground(shown, Query('q', 'a car', 1))
    assert engine.encoded == [1, 2]


def test_objects_that_are_described_at_once_keep_their_own_crops():
    engine, both = Sharing(['a car'], 2), (pair(1), pair(2))
    describer = Describer(engine)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda shown: describer.describe(shown, BOX), both)) == [
            'a car'] * 2
    assert sorted(engine.encoded) == [1, 2]


QUESTIONS = {
    'ground': lambda engine, **taken: Grounder(engine).ground(
        pair(), Query('q', 'a car', 1), **taken),
    'refine': lambda engine, **taken: make_grounder(engine, refine='always').ground(
        pair(), Query('q', 'a car', 1), **taken),
    'verify': lambda engine, **taken: Verifier(engine).verify(pair(), BOX, 'a car', **taken),
    'locate': lambda engine, **taken: (lambda locator: locator.locate(
        locator.template(pair(), BOX), pair(), BOX, **taken))(Locator(engine))}


@pytest.mark.parametrize('task', QUESTIONS)
def test_every_question_can_be_taken_back(task):
    engine, cancellation = ScriptedEngine([CAR], delay_s=LIMIT_S), Cancellation()
    timer = threading.Timer(0.1, cancellation.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        QUESTIONS[task](engine, cancellation=cancellation)
    timer.join()


def test_a_second_look_that_is_taken_back_returns_no_half_answer():
    cancellation = Cancellation()

    def script(images, prompt):
        if engine.calls > 1:
            cancellation.cancel()
        return CAR
    engine = ScriptedEngine(script)
    with pytest.raises(CancelledError):
        QUESTIONS['refine'](engine, cancellation=cancellation)
    assert engine.calls == 2
