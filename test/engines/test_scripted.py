import time

import numpy as np
import pytest

from rtrack_ros.engines.base import EngineError, Prompt
from rtrack_ros.engines.scripted import ScriptedEngine

PROMPT = Prompt(('find', None))
IMAGES = [np.zeros((4, 4, 3), np.uint8)]


def ask(engine, max_tokens=9, deadline_s=None, images=IMAGES):
    return engine.infer(images, PROMPT, None, max_tokens, deadline_s)


def test_texts_come_in_turn_and_the_last_one_stays():
    engine = ScriptedEngine(['a', 'b'])
    assert [ask(engine).text for _ in range(4)] == ['a', 'b', 'b', 'b'] and engine.calls == 4


def test_a_callable_sees_images_and_prompt():
    assert ask(ScriptedEngine(lambda images, prompt: f'{len(images)} {prompt.parts[0]}')).text == (
        '1 find')


def test_an_answer_takes_its_delay_and_is_cut_at_the_bound():
    started = time.perf_counter()
    reply = ask(ScriptedEngine(['a b c'], delay_s=0.05), max_tokens=2)
    assert time.perf_counter() - started >= 0.05
    assert (reply.text, reply.tokens, reply.finish) == ('a b', 2, 'length')
    assert reply.timings['total'] >= 50


def test_failures_of_the_callable_the_deadline_and_wrong_images_are_engine_errors():
    def fail(images, prompt):
        raise EngineError('out of memory; use a smaller model')
    with pytest.raises(EngineError, match='out of memory'):
        ask(ScriptedEngine(fail))
    with pytest.raises(EngineError, match='no answer within'):
        ask(ScriptedEngine(['a'], delay_s=9.0), deadline_s=0.01)
    with pytest.raises(EngineError, match='1 images and got 0'):
        ask(ScriptedEngine(['a']), images=[])


def test_a_closed_engine_says_so():
    engine = ScriptedEngine(['a'])
    engine.close()
    with pytest.raises(EngineError, match='closed'):
        ask(engine)
