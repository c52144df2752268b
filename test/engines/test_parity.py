"""Both engines must see the same things: one is trained with, the other ships."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from rtrack_ros.boxes import iou
from rtrack_ros.engines.base import Grammar
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.prompts import verify_prompt
from rtrack_ros.language.queries import Query

TOLERANCE = 0.02
"""Of the image's width and height."""


def boxes_of(grounder, pair, sentence):
    try:
        answer = grounder.ground(pair, Query('default', sentence, 1))
    except AnswerError:
        return []
    return [one.box for one in answer.groundings]


def agreeing(first, second, width, height):
    """Number of boxes whose partner in the other list is within the tolerance on every side."""
    if not first or not second:
        return 0
    rows, columns = linear_sum_assignment(-iou(first, second))
    gaps = np.abs(np.asarray(first)[rows] - np.asarray(second)[columns])
    limit = TOLERANCE * np.array([width, height, width, height])
    return int((gaps <= limit).all(axis=1).sum())


def test_both_engines_give_the_same_boxes(openvino, transformers, questions):
    grounders = Grounder(openvino), Grounder(transformers)
    same = boxes = 0
    for pair, sentence in questions:
        first, second = (boxes_of(grounder, pair, sentence) for grounder in grounders)
        same += agreeing(first, second, pair.width, pair.height)
        boxes += max(len(first), len(second))
    assert boxes >= len(questions) // 3
    assert same / boxes >= 0.95


def test_both_engines_give_the_probability_that_the_model_has_without_the_grammar(
        openvino, transformers, questions):
    pair, sentence = questions[0]
    asked = verify_prompt(sentence, (100, 100, 300, 300))
    said = [[engine.infer(pair.images(), asked, Grammar(word, '', ''), 8)
             for engine in (openvino, transformers)] for word in ('Yes', 'No')]
    for first, second in said:
        assert np.log(first.confidence) == pytest.approx(np.log(second.confidence), rel=0.1,
                                                         abs=0.05)
    # Under the grammar the only word that is allowed would have probability 1.
    assert sum(first.confidence ** first.tokens for first, _ in said) < 1.001
