import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtrack_ros.language.grammar import (
    answer_grammar,
    description_grammar,
    render_answer,
    verdict_grammar,
    whole_box,
    writable_label,
)
from rtrack_ros.language.parser import parse_words

# A busy machine is slow, not wrong.
patiently = settings(max_examples=60, deadline=None,
                     suppress_health_check=[HealthCheck.too_slow])

LABELS = ('person', 'car', 'cyclist')
coordinate = st.integers(0, 1000)
box = st.tuples(coordinate, coordinate, coordinate, coordinate)
items = st.lists(st.tuples(box, st.sampled_from(LABELS)), max_size=4)


def accepts(text, max_boxes=4, labels=LABELS):
    return re.fullmatch(answer_grammar(max_boxes, labels).regex, text) is not None


@patiently
@given(items)
def test_what_is_rendered_is_in_the_grammar(rows):
    assert accepts(render_answer(rows))
    assert accepts(render_answer(rows), labels=None)


@patiently
@given(st.from_regex(answer_grammar(3, None).regex, fullmatch=True))
def test_what_the_grammar_allows_is_rendered_the_same(text):
    rows = json.loads(text)
    assert all(0 <= value <= 1000 for row in rows for value in row['bbox_2d'])
    assert render_answer([(tuple(row['bbox_2d']), row['label']) for row in rows]) == text


@pytest.mark.parametrize('text', [
    '[{"bbox_2d": [312, 148, 467, 633], "label": "person"}]',
    '[]',
    '[{"bbox_2d": [0, 0, 1000, 1000], "label": "car"}, '
    '{"bbox_2d": [1, 10, 100, 999], "label": "cyclist"}]',
])
def test_the_usual_forms_of_answers_are_in_the_grammar(text):
    assert accepts(text)


@pytest.mark.parametrize('text', [
    '', ' []', '[] ', '[ ]', '[{}]', '[[]]', '{"bbox_2d": [1, 2, 3, 4], "label": "car"}',
    '[{"bbox_2d": [1, 2, 3], "label": "car"}]',
    '[{"bbox_2d": [1,2,3,4], "label": "car"}]',
    '[{"bbox_2d": [1, 2, 3, 1001], "label": "car"}]',
    '[{"bbox_2d": [01, 2, 3, 4], "label": "car"}]',
    '[{"bbox_2d": [1, 2, 3, -4], "label": "car"}]',
    '[{"bbox_2d": [1.0, 2, 3, 4], "label": "car"}]',
    '[{"label": "car", "bbox_2d": [1, 2, 3, 4]}]',
    '[{"bbox_2d": [1, 2, 3, 4], "label": "dog"}]',
    '[{"bbox_2d": [1, 2, 3, 4], "label": "car"}, ]',
    '[{"bbox_2d": [1, 2, 3, 4], "label": "car"}',
])
def test_other_texts_are_not_in_the_grammar(text):
    assert not accepts(text)


@pytest.mark.parametrize('max_boxes', [1, 2, 5])
def test_the_number_of_boxes_is_bounded(max_boxes):
    row = ((1, 2, 3, 4), 'car')
    assert accepts(render_answer([row] * max_boxes), max_boxes)
    assert not accepts(render_answer([row] * (max_boxes + 1)), max_boxes)


def test_free_labels_are_short_lower_case_words():
    def with_label(label):
        return accepts(f'[{{"bbox_2d": [1, 2, 3, 4], "label": "{label}"}}]', labels=None)
    assert with_label('traffic light') and with_label('x' * 32)
    assert not any(map(with_label, ('', ' ', 'Car', 'car2', 'x' * 33, r'a\"b')))


@pytest.mark.parametrize(('max_boxes', 'labels', 'complaint'), [
    (0, None, 'at least 1'), (3, (), 'empty'), (3, ('a"b',), 'does not fit'),
    (3, ('(a|b)',), 'does not fit'), (3, ('x' * 33,), 'does not fit'),
])
def test_a_grammar_that_cannot_be_is_refused(max_boxes, labels, complaint):
    with pytest.raises(ValueError, match=complaint):
        answer_grammar(max_boxes, labels)


@pytest.mark.parametrize('largest', [0, 7, 9, 10, 11, 99, 100, 448, 476, 644, 999, 1000, 1001,
                                     1010, 1099, 1288, 1960, 2000, 4096, 10000])
def test_coordinates_reach_to_the_largest_one_and_no_further(largest):
    regex = re.compile(answer_grammar(1, ('car',), largest).regex)

    def writes(number):
        return regex.fullmatch(render_answer([((0, 0, number, 0), 'car')])) is not None
    assert all(map(writes, range(largest + 1)))
    assert not any(map(writes, range(largest + 1, largest + 300)))
    assert not regex.fullmatch('[{"bbox_2d": [0, 0, 01, 0], "label": "car"}]')


@pytest.mark.parametrize('number, right', [(1288, True), (1289, False), (1001, True),
                                           (1300, False), (2000, False), (99, True)])
def test_the_notations_accept_the_same_coordinates(number, right):
    judge = judge_of(answer_grammar(2, LABELS, 1288))
    assert judge(render_answer([((0, 5, number, 952), 'car')])) == dict.fromkeys(
        ('regex', 'ebnf', 'json'), right)


edge = st.floats(-50, 1400, allow_nan=False)


@patiently
@given(edge, edge, edge, edge, st.sampled_from([(1000, 1000), (1288, 952), (112, 84)]))
def test_every_box_in_the_image_can_be_written(x1, y1, x2, y2, units):
    written = whole_box((min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)), units)
    assert 0 <= written[0] < written[2] <= units[0] and 0 <= written[1] < written[3] <= units[1]
    grammar = answer_grammar(1, None, max(units))
    assert re.fullmatch(grammar.regex, render_answer([(written, 'car')]))


@patiently
@given(st.text(max_size=60))
def test_every_label_can_be_written(text):
    label = writable_label(text)
    assert accepts(render_answer([((1, 2, 3, 4), label)]), labels=None)
    assert writable_label(label) == label


@pytest.mark.parametrize('text, label', [
    ('person', 'person'), ('JetLev-Flyer', 'jetlev flyer'), ('\u6c7d\u8f66', 'object'),
    ('', 'object'),
    ('self-propelled vehicle', 'self propelled vehicle'), ('Car 2', 'car'), ('  A  b', 'a b')])
def test_a_label_is_written_in_plain_letters(text, label):
    assert writable_label(text) == label


def judge_of(grammar):
    """Return a judge: whether a grammar compiler accepts a text, for each of three notations."""
    xgrammar = pytest.importorskip('xgrammar', reason='xgrammar reads the other notations')
    letters = [chr(code) for code in range(128)]
    compiler = xgrammar.GrammarCompiler(
        xgrammar.TokenizerInfo([*letters, '</s>'], stop_token_ids=[128]))
    compiled = {
        'regex': compiler.compile_regex(grammar.regex),
        'ebnf': compiler.compile_grammar(grammar.ebnf),
        'json': compiler.compile_json_schema(grammar.json_schema, any_whitespace=False,
                                             separators=(', ', ': ')),
    }

    def judge(text):
        matchers = {name: xgrammar.GrammarMatcher(one) for name, one in compiled.items()}
        return {name: matcher.accept_string(text) and matcher.accept_token(128)
                for name, matcher in matchers.items()}
    return judge


@pytest.fixture(scope='module')
def verdicts():
    return judge_of(answer_grammar(2, LABELS))


@pytest.mark.parametrize('rows', [
    [], [((0, 0, 1000, 1000), 'car')], [((1, 22, 333, 999), 'person'), ((9, 8, 7, 6), 'car')]])
def test_the_notations_accept_the_same_answers(verdicts, rows):
    assert verdicts(render_answer(rows)) == {'regex': True, 'ebnf': True, 'json': True}


@pytest.mark.parametrize('text', [
    '[ ]', '[{"bbox_2d": [1, 2, 3], "label": "car"}]',
    '[{"bbox_2d": [1, 2, 3, 1001], "label": "car"}]',
    '[{"bbox_2d": [01, 2, 3, 4], "label": "car"}]', '[{"bbox_2d": [1, 2, 3, 4], "label": "dog"}]',
    render_answer([((1, 2, 3, 4), 'car')] * 3), '[{"bbox_2d": [1, 2, 3, 4], "label": "car"}'])
def test_the_notations_refuse_the_same_texts(verdicts, text):
    assert verdicts(text) == {'regex': False, 'ebnf': False, 'json': False}


@pytest.mark.parametrize(('grammar', 'right', 'wrong'), [
    (verdict_grammar(), ('Yes', 'No'), ('', 'yes', 'YesNo', 'Yes ')),
    (description_grammar(), ('car', 'person in red, walking to the left', 'a' * 96),
     ('', ' car', 'Car', 'car.', 'a' * 97))])
def test_words_are_the_same_in_all_notations_but_for_the_quotes_of_json(grammar, right, wrong):
    judge = judge_of(grammar)
    for text in (*right, *wrong):
        accepted = text in right
        bare, quoted = judge(text), judge(f'"{text}"')
        assert bare == {'regex': accepted, 'ebnf': accepted, 'json': False}
        assert quoted == {'regex': False, 'ebnf': False, 'json': accepted}


@pytest.mark.parametrize('text', ['Yes', '"Yes"'])
def test_words_are_read_with_and_without_quotes(text):
    assert parse_words(text, verdict_grammar()) == 'Yes'
