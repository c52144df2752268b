import threading
import time

import numpy as np
import pytest

from rtrack_ros.engines.base import CancelledError, Prompt
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.prompts import ground_prompt

GRAMMAR = answer_grammar(4, ('person', 'car', 'cyclist'))


def test_what_stops_a_question_is_called_once_while_it_is_asked():
    cancellation, stops = Cancellation(), []
    with cancellation.stopping_by(lambda: stops.append(1)):
        assert not stops and not cancellation.cancelled
        cancellation.cancel()
    assert stops == [1] and cancellation.cancelled


def test_a_question_taken_back_before_it_is_asked_is_stopped_at_once():
    cancellation, stops = Cancellation(), []
    cancellation.cancel()
    with cancellation.stopping_by(lambda: stops.append(1)):
        assert stops == [1]


def test_what_stopped_a_question_is_never_called_after_it():
    cancellation, stops = Cancellation(), []
    with cancellation.stopping_by(lambda: stops.append(1)):
        pass
    cancellation.cancel()
    assert stops == [] and cancellation.cancelled


def test_the_scripted_engine_stops_when_told():
    engine, cancellation = ScriptedEngine(['{}{}'], delay_s=30.0), Cancellation()
    started = time.perf_counter()
    threading.Timer(0.1, cancellation.cancel).start()
    with pytest.raises(CancelledError, match='taken back'):
        engine.infer([np.zeros((4, 4, 3), np.uint8)], Prompt((None,)), None, 9,
                     cancellation=cancellation)
    assert time.perf_counter() - started < 15.0


@pytest.mark.parametrize('name', ['openvino', 'transformers'])
def test_an_embedded_engine_stops_when_told_and_answers_the_next_question(
        name, questions, request):
    engine = request.getfixturevalue(name)
    pair, sentence = questions[0]

    def ask(cancellation, on_text=None):
        return engine.infer(pair.images(), ground_prompt(sentence), GRAMMAR, 100,
                            on_text=on_text, cancellation=cancellation)

    whole, cancellation, told = ask(Cancellation()), Cancellation(), []
    with pytest.raises(CancelledError, match='taken back'):
        ask(cancellation, lambda text: (told.append(text), cancellation.cancel()))
    assert 1 <= len(told) <= 2
    assert ask(None).text == whole.text
