"""Properties of the rewards: bounds, order, overlap, spam, negatives."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrack_ros.boxes import as_boxes
from rtrack_ros.language.grammar import render_answer
from rtrack_ros.language.parser import AnswerError, parse_answer
from rtrack_ros.training.stages.rewards.completion import Completion, Truth
from rtrack_ros.training.stages.rewards.detection import (
    comprehensive_detection,
    length_penalised,
    raw_overlap,
)
from rtrack_ros.training.stages.rewards.format_tiers import format_tiers
from rtrack_ros.training.stages.rewards.registry import REWARDS, make_reward
from rtrack_ros.training.stages.rewards.stepped_giou import (
    step,
    stepped_giou,
    thoughtful_stepped_giou,
)
from rtrack_ros.training.stages.rewards.structured_output import structured_output

FRAME = (1000, 1000)
BOUNDS = {'structured_output': (0, 1), 'comprehensive_detection': (0, 1),
          'length_penalised': (0, 1), 'raw_overlap': (0, 1), 'stepped_giou': (-1, 1.5),
          'thoughtful_stepped_giou': (-1, 1.55), 'format_tiers': (0, 2),
          'exact_words': (0, 1), 'described': (0, 1)}
MANY = (comprehensive_detection, length_penalised, raw_overlap)

corner = st.integers(0, 900)
side = st.integers(20, 100)
box = st.tuples(corner, corner, side, side).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
box_list = st.lists(box, max_size=5)
junk = st.one_of(
    st.text(max_size=60), st.recursive(st.none() | st.integers() | st.floats() | st.text(), lambda
                                       inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                                       max_leaves=6).map(json.dumps),
    st.sampled_from(['[', ']', '[]]', '[[[', '[NaN]', '[{"bbox_2d": [1, 2, 3, 1e999]}]',
                     '<bbox>1,2,3,4</bbox>', '[1,2,3,4]', '[...]', '[' * 3000]),
    # What a sampled answer may hold at any temperature: numbers that no float is, brackets in
    # brackets up to where the interpreter can read them and not write them again.
    st.integers(300, 4400).map(lambda digits: item_text('1' + '0' * digits)),
    st.sampled_from(['NaN', 'Infinity', '-Infinity', '1e999', '-1e308', '1e308']).map(
        lambda number: item_text(number)),
    st.integers(900, 1100).map(lambda depth: '[' * depth + ']' * depth),
    st.integers(900, 1100).map(lambda depth: item_text('[' * depth + ']' * depth)))


def item_text(first: str) -> str:
    return f'[{{"bbox_2d": [{first}, 2, 3, 4], "label": "person"}}]'


def answer(boxes, label: str = 'person') -> Completion:
    return Completion(render_answer([(item, label) for item in boxes]), 200)


def truth(boxes) -> Truth:
    return Truth(as_boxes(boxes), FRAME)


def score(reward, said, meant) -> float:
    return reward(answer(said), truth(meant))


@settings(max_examples=60)
@given(junk, box_list)
def test_any_text_has_a_reward_within_bounds(text: str, meant) -> None:
    for name, reward in REWARDS.items():
        low, high = BOUNDS[name]
        for tokens in (3, 200, 5000):
            assert low <= reward(Completion(text, tokens), truth(meant)) <= high, name


@settings(max_examples=60)
@given(box_list, box_list, st.randoms())
def test_the_order_of_boxes_is_worth_nothing(said, meant, random) -> None:
    mixed, shuffled = list(said), list(meant)
    random.shuffle(mixed)
    random.shuffle(shuffled)
    for reward in (*MANY, structured_output, format_tiers):
        assert score(reward, mixed, shuffled) == pytest.approx(score(reward, said, meant))


@settings(max_examples=60)
@given(box, st.integers(0, 40), st.integers(0, 40))
def test_a_box_that_fits_better_is_never_worth_less(meant, first: int, second: int) -> None:
    near, far = sorted((first, second))
    shifted = [(meant[0] + by, meant[1], meant[2] + by, meant[3]) for by in (near, far)]
    for reward in (*MANY, stepped_giou, format_tiers):
        assert score(reward, shifted[:1], [meant]) >= score(reward, shifted[1:], [meant]) - 1e-12


@given(box_list.filter(bool))
def test_the_truth_itself_is_worth_most(meant) -> None:
    distinct = list(dict.fromkeys(meant))
    for reward in (*MANY, structured_output):
        assert score(reward, distinct, distinct) == pytest.approx(1.0)
    assert score(format_tiers, distinct, distinct) == 2.0


@settings(max_examples=40)
@given(box, st.integers(1, 9))
def test_one_more_box_on_no_object_costs(meant, copies: int) -> None:
    stray = [(3, 901 + k, 9, 915 + k) for k in range(copies)]
    kept = (meant[0], meant[1] // 2, meant[2], meant[3] // 2 + 1)
    for reward in MANY:
        values = [score(reward, [kept, *stray[:count]], [kept]) for count in range(copies + 1)]
        assert values == sorted(values, reverse=True) and values[0] > values[-1]


def test_a_grid_of_boxes_earns_next_to_nothing() -> None:
    grid = [(x, y, x + 100, y + 100) for x in range(0, 1000, 100) for y in range(0, 1000, 100)]
    for reward in MANY:
        assert score(reward, grid, [(150, 150, 250, 250)]) < 0.03


def test_saying_the_right_box_twice_does_not_pay() -> None:
    right = (100, 100, 200, 300)
    for reward in (*MANY, structured_output):
        assert score(reward, [right, right], [right]) < score(reward, [right], [right])


@given(box_list.filter(bool))
def test_nothing_meant_is_right_only_when_nothing_is_said(boxes) -> None:
    for reward in MANY:
        assert score(reward, [], []) == 1.0
        assert score(reward, boxes, []) == score(reward, [], boxes) == 0.0
    assert score(stepped_giou, [], []) == 1.0
    assert score(stepped_giou, boxes, []) == score(stepped_giou, [], boxes) == -1.0


@pytest.mark.parametrize('text', ['', 'nobody', '[', '{"a": 1}'])
def test_no_list_earns_nothing_even_where_nothing_is_meant(text: str) -> None:
    for reward in (*MANY, structured_output):
        assert reward(Completion(text), truth([])) == 0.0


@settings(max_examples=80)
@given(junk | box_list.map(lambda boxes: answer(boxes).text))
def test_structure_is_full_exactly_for_what_the_strict_parser_reads(text: str) -> None:
    try:
        found = [item.box for item in parse_answer(text, 'rel1000', FRAME, FRAME)]
        accepted = len(set(found)) == len(found)
    except AnswerError:
        accepted = False
    assert (structured_output(Completion(text), truth([])) == 1.0) == accepted


def test_structure_falls_step_by_step() -> None:
    whole = answer([(1, 2, 30, 40), (5, 6, 70, 80)]).text
    texts = [whole, whole.replace('"label"', '"name"', 1), f'Here: {whole}', 'Here: [1, 2]', 'no']
    values = [structured_output(Completion(text), truth([])) for text in texts]
    assert values == pytest.approx([1.0, 0.6, 0.5, 0.1, 0.0])


def test_steps_are_those_of_r1_track_and_never_fall() -> None:
    assert [step(value) for value in (-0.5, 0.0, 0.39, 0.4, 0.75, 0.8, 0.95, 1.0)] == (
        pytest.approx([-0.5, 0, 0, 0.4, 0.75, 1.0, 1.45, 1.5]))
    values = [step(value) for value in np.linspace(-1, 1, 401)]
    assert values == sorted(values)


def test_the_bare_list_of_r1_track_is_read() -> None:
    assert stepped_giou(Completion('[100,100,200,300]'), truth([(100, 100, 200, 300)])) == 1.5
    assert stepped_giou(Completion('[200,100,100,300]'), truth([(100, 100, 200, 300)])) == -1.0


@pytest.mark.parametrize('tokens, expected', [(127, -1.0), (200, 1.55), (448, 1.55), (512, 1.45),
                                              (5000, -1.0)])
def test_thought_is_paid_up_to_a_length(tokens: int, expected: float) -> None:
    said = f'<think>there</think><answer>{answer([(1, 2, 30, 40)]).text}</answer>'
    value = thoughtful_stepped_giou(Completion(said, tokens), truth([(1, 2, 30, 40)]))
    assert value == pytest.approx(expected)
    bare = answer([(1, 2, 30, 40)]).text
    assert thoughtful_stepped_giou(Completion(bare, tokens), truth([(1, 2, 30, 40)])) == -1.0


@pytest.mark.parametrize('form, text, expected', [
    ('tags', '<bbox>100,100,100,200</bbox>', 2.0), ('tags', '<bbox>100,100,200,300</bbox>', 0.6),
    ('tags', '100,100,100,200', 0.4), ('tags', 'nothing', 0.0),
    ('json', '[{"bbox_2d": [100, 100, 200, 300], "label": "x"}]', 2.0),
    ('json', '[{"bbox_2d": [100, 100, 100, 200], "label": "x"}]', 0.6),
    ('json', '100, 100, 200, 300', 0.4), ('json', 'nothing', 0.0)])
def test_format_has_tiers(form: str, text: str, expected: float) -> None:
    meant = truth([(100, 100, 200, 300)])
    assert format_tiers(Completion(text), meant, form) == pytest.approx(expected)


def test_an_unknown_form_or_reward_is_named() -> None:
    with pytest.raises(ValueError, match='json, tags'):
        format_tiers(Completion(''), truth([]), 'xml')
    with pytest.raises(ValueError, match='comprehensive_detection'):
        make_reward('praise')


def test_rewards_are_called_as_trl_calls_them() -> None:
    reward = make_reward('comprehensive_detection', {'low': 0.0, 'high': 1.0})
    said = [[{'role': 'assistant', 'content': answer([(0, 0, 100, 100)]).text}],
            [{'role': 'assistant', 'content': [{'type': 'text', 'text': '[]'}]}]]
    values = reward(prompts=[[], []], completions=said, completion_ids=[[1], [2]],
                    boxes=[[[0, 0, 50, 100]], []], frame=[[1000, 1000]] * 2, words=['', ''],
                    trainer_state=None)
    assert values == pytest.approx([0.5, 1.0]) and reward.__name__ == 'comprehensive_detection'


@pytest.mark.parametrize('broken', [lambda: float('nan'), lambda: float('inf'), lambda: 1 / 0,
                                    lambda: int('x'), lambda: None + 1])
def test_a_reward_that_fails_counts_the_answer_as_none(broken, monkeypatch, caplog) -> None:
    def fragile(said, truth) -> float:
        return broken() if said.text else -1.0

    monkeypatch.setitem(REWARDS, 'fragile', fragile)
    said = [[{'role': 'assistant', 'content': text}] for text in ('what it cannot read', '')]
    assert make_reward('fragile')(completions=said, completion_ids=[[1]] * 2, boxes=[[]] * 2,
                                  frame=[[1000, 1000]] * 2, words=[''] * 2) == [-1.0, -1.0]
    assert 'what it cannot read' in caplog.text


@pytest.mark.parametrize('options', [{'form': 'xml'}, {'from': 'json'}])
def test_an_option_that_a_reward_does_not_know_is_refused_at_once(options: dict) -> None:
    with pytest.raises(ValueError, match='reward format_tiers: its options'):
        make_reward('format_tiers', options)


def test_words_and_boxes_are_each_rewarded_by_their_own() -> None:
    said = [[{'role': 'assistant', 'content': text}] for text in ('Yes', '[]', 'a car')]
    asked = {'completions': said, 'completion_ids': [[1]] * 3, 'boxes': [[]] * 3,
             'frame': [[1000, 1000]] * 3, 'words': ['Yes', '', 'red car']}
    assert make_reward('exact_words')(**asked) == [1.0, None, 0.0]
    assert make_reward('raw_overlap')(**asked) == [None, 1.0, None]
    assert make_reward('described')(**asked) == [1.0, None, 0.5]


def test_rewards_import_no_torch() -> None:
    code = ('import sys, rtrack_ros.training.stages.clipped_advantage;'
            'import rtrack_ros.training.stages.rewards.registry;'
            'print(sorted({"torch", "transformers", "trl"} & set(sys.modules)))')
    done = subprocess.run([sys.executable, '-P', '-c', code], capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == '[]'
