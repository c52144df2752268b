import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtrack_ros.language.coordinates import BBOX_PROTOCOLS, ProtocolError, model_from_pixels
from rtrack_ros.language.grammar import answer_grammar, render_answer
from rtrack_ros.language.parser import AnswerError, parse_answer, written_items

# A busy machine is slow, not wrong.
patiently = settings(max_examples=60, deadline=None,
                     suppress_health_check=[HealthCheck.too_slow])

IMAGE, MODEL = (640, 480), (320, 256)


def parse(text, protocol='rel1000', image_size=IMAGE, model_size=MODEL):
    return parse_answer(text, protocol, image_size, model_size)


def item(box='[1, 2, 3, 4]', label='"car"'):
    return f'[{{"bbox_2d": {box}, "label": {label}}}]'


def spans(limit, least):
    """Intervals within 0 and limit, at least as long as one step of the model's grid."""
    return st.tuples(st.floats(0, limit - least), st.floats(least, limit)).map(
        lambda drawn: (drawn[0], min(drawn[0] + drawn[1], limit)))


@st.composite
def scenes(draw):
    """An image size, a model size, a protocol and pixel boxes that the model's grid can hold."""
    image_size = draw(st.tuples(st.integers(64, 2000), st.integers(64, 2000)))
    model_size = draw(st.sampled_from([(320, 256), (644, 476), (1280, 704)]))
    protocol = draw(st.sampled_from(BBOX_PROTOCOLS))
    units = (1000, 1000) if protocol == 'rel1000' else model_size
    steps = tuple(pixels / unit for pixels, unit in zip(image_size, units, strict=True))
    across, down = spans(image_size[0], 2 * steps[0]), spans(image_size[1], 2 * steps[1])
    boxes = draw(st.lists(st.tuples(across, down).map(
        lambda xy: (xy[0][0], xy[1][0], xy[0][1], xy[1][1])), max_size=5))
    return image_size, model_size, protocol, boxes, steps


@patiently
@given(scenes())
def test_boxes_come_back_within_half_a_step_of_the_grid(scene):
    image_size, model_size, protocol, boxes, steps = scene
    text = render_answer([(model_from_pixels(box, protocol, image_size, model_size), 'car')
                          for box in boxes])
    found = parse_answer(text, protocol, image_size, model_size)
    assert [one.label for one in found] == ['car'] * len(boxes)
    for one, box in zip(found, boxes, strict=True):
        assert all(abs(got - meant) <= steps[axis % 2] / 2 + 1e-6
                   for axis, (got, meant) in enumerate(zip(one.box, box, strict=True)))


@patiently
@given(st.from_regex(answer_grammar(3).regex, fullmatch=True))
def test_the_parser_reads_all_the_grammar_allows_but_inverted_boxes(text):
    rows = json.loads(text)
    upright = all(row['bbox_2d'][0] < row['bbox_2d'][2] and row['bbox_2d'][1] < row['bbox_2d'][3]
                  for row in rows)
    if upright:
        assert [one.label for one in parse(text)] == [row['label'].strip() for row in rows]
    else:
        with pytest.raises(AnswerError, match='x1 < x2 and y1 < y2'):
            parse(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (st.lists(inner, max_size=5) | st.dictionaries(
        st.sampled_from(['bbox_2d', 'label', 'x']), inner, max_size=3)), max_leaves=12)


@patiently
@given(st.text() | json_values.map(json.dumps)
       | json_values.map(lambda value: json.dumps([{'bbox_2d': value, 'label': 'car'}])))
def test_junk_raises_nothing_but_an_answer_error(text):
    try:
        groundings = parse(text)
    except AnswerError as error:
        assert str(error)
    else:
        assert all(0 <= one.box[0] < one.box[2] <= 640 and 0 <= one.box[1] < one.box[3] <= 480
                   for one in groundings)


def test_an_empty_list_is_an_answer():
    assert parse('[]') == ()


def test_boxes_are_clipped_to_the_image():
    assert parse(item('[-50, 900, 500, 1200]'))[0].box == (0, 432, 320, 480)


@pytest.mark.parametrize(('text', 'complaint'), [
    ('', 'not JSON'), ('nobody', 'not JSON'), ('```json\n[]\n```', 'not JSON'),
    ('[]]', 'not JSON'), ('[' * 100_000, 'not JSON'), ('null', 'not a JSON list'),
    ('{"bbox_2d": [1, 2, 3, 4], "label": "car"}', 'not a JSON list'),
    ('[[1, 2, 3, 4]]', 'keys bbox_2d and label'),
    ('[{"bbox_2d": [1, 2, 3, 4]}]', 'keys bbox_2d and label'),
    ('[{"bbox_2d": [1, 2, 3, 4], "label": "car", "id": 1}]', 'keys bbox_2d and label'),
    ('[{"bbox_2d": [1, 2, 3, 4], "bbox_2d": [1, 2, 3, 5], "label": "car"}]', 'twice'),
    (item(label='7'), 'label'), (item(label='" "'), 'label'), (item(label='null'), 'label'),
    (item('[1, 2, 3]'), 'four finite'), (item('[1, 2, 3, 4, 5]'), 'four finite'),
    (item('"1, 2, 3, 4"'), 'four finite'), (item('[1, 2, 3, "4"]'), 'four finite'),
    (item('[true, 2, 3, 4]'), 'four finite'), (item('[1, 2, 3, 1e999]'), 'four finite'),
    (item(f'[1, 2, 3, {10 ** 400}]'), 'four finite'), (item('[1, 2, 3, NaN]'), 'NaN'),
    (item('[1, 2, 3, -Infinity]'), 'Infinity'), (item('[3, 2, 3, 4]'), 'x1 < x2'),
    (item('[1, 4, 3, 2]'), 'y1 < y2'), (item('[1001, 2, 1010, 4]'), 'outside the image'),
    (item('[1, -9, 3, 0]'), 'outside the image'),
])
def test_the_message_says_what_was_wrong(text, complaint):
    with pytest.raises(AnswerError, match=complaint) as caught:
        parse(text)
    assert len(str(caught.value)) < 300


def test_one_bad_item_refuses_the_answer_and_is_named():
    with pytest.raises(AnswerError, match='item 1'):
        parse('[{"bbox_2d": [1, 2, 3, 4], "label": "car"}, '
              '{"bbox_2d": [5, 5, 5, 9], "label": "car"}]')


def test_an_unknown_protocol_is_refused_even_for_an_empty_answer():
    with pytest.raises(ProtocolError, match='rel1000'):
        parse('[]', protocol='pixels')


@pytest.mark.parametrize(('text', 'written'), [
    ('', '[]'), ('[', '[]'), ('[{"bbox_2d": [1, 2', '[]'), ('nobody', '[]'), ('[]', '[]'),
    ('[{"a": 1}', '[{"a": 1}]'), ('[{"a": 1}, {"b"', '[{"a": 1}]'),
    ('[{"a": "}"}, {"b": 2}]', '[{"a": "}"}, {"b": 2}]')])
def test_only_whole_items_of_an_unfinished_text_count(text, written):
    assert written_items(text) == written
