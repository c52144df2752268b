"""Engines tell the text of an answer while they write it."""

from itertools import pairwise

import pytest

from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.prompts import ground_prompt

GRAMMAR = answer_grammar(4, ('person', 'car', 'cyclist'))


@pytest.mark.parametrize('name', ['openvino', 'transformers'])
def test_the_text_is_told_while_it_is_written(name, questions, request):
    engine = request.getfixturevalue(name)

    def ask(question, on_text=None):
        pair, sentence = question
        return engine.infer(pair.images(), ground_prompt(sentence), GRAMMAR, 100,
                            on_text=on_text)

    longest = max(questions[::6], key=lambda question: ask(question).tokens)
    told: list[str] = []
    reply = ask(longest, told.append)
    assert reply.text == ask(longest).text
    assert len(told) > 3 and told[-1].strip() == reply.text
    assert all(later.startswith(text) for text, later in pairwise(told))
