"""The grounding benchmark: held-out questions, three views, honest pooling."""


import pytest

from rtrack_ros.benchmarks.grounding import cases, run_grounding
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.language.answers import Box
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.language.grammar import render_answer

SEED = 9_700_000


def test_questions_are_the_same_by_seed_and_cover_every_condition() -> None:
    first, second = list(cases(SEED, 2)), list(cases(SEED, 2))
    assert [(item.text, item.truth) for item in first] == [(item.text, item.truth)
                                                           for item in second]
    assert len({item.condition for item in first}) == 6 and len(first) == 12
    assert all(item.pair.thermal.shape == item.pair.rgb.shape[:2] for item in first)


def test_saying_nothing_scores_zero_and_raises_no_false_alarm() -> None:
    result = run_grounding(ScriptedEngine(lambda *_: '[]'), 1, SEED, 2, 5.0)
    both = result['views']['both']
    assert both['all']['f1'] == 0 and both['all']['missed'] > 0
    assert both['false_answers_when_nobody'] == 0
    assert result['answers'] == 36


def written(truth: tuple[Box, ...], size: tuple[int, int] = (640, 480)) -> str:
    """Return what a model would write that knows the truth."""
    return render_answer([(model_from_pixels(box, 'rel1000', size, size), 'person')
                          for box in truth])


def test_the_truth_itself_scores_one_in_every_view() -> None:
    """An engine that answers with the truth, in the model's coordinates, is scored as perfect."""
    truths = [case.truth for case in cases(SEED, 2) for _ in range(3)]
    texts = [written(truth) for truth in truths]
    result = run_grounding(ScriptedEngine(texts), 1, SEED, 2, 5.0)
    for view in result['views'].values():
        assert view['all']['f1'] == pytest.approx(1.0)
        assert view['all']['invalid'] == 0


def test_negated_sentences_are_asked_instead() -> None:
    denied = list(cases(SEED, 2, negations=True))
    assert {item.kind for item in denied} <= {'not colour', 'not motion', 'not place', 'depth',
                                              'conjunction'}
    texts = [written(case.truth) for case in denied for _ in range(3)]
    result = run_grounding(ScriptedEngine(texts), 1, SEED, 2, 5.0, negations=True)
    assert result['negations'] and result['views']['both']['all']['f1'] == pytest.approx(1.0)
