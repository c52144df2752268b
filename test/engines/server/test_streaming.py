import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.engines.server.streaming import LONGEST_EVENT, EventReader

TEXTS = st.text(st.characters(exclude_characters='\r\n', exclude_categories=['Cs']), max_size=12)
NOISE = st.sampled_from(['', ': ping', 'event: message', 'id: 7', 'retry', 'dataless: x'])
ENDS = st.sampled_from(['\n', '\r\n', '\r'])


@st.composite
def streams(draw):
    """Bytes of a stream, the data of its events, and where the bytes are cut."""
    written, events = '', []
    for lines in draw(st.lists(st.lists(TEXTS, min_size=1, max_size=3), max_size=5)):
        end = draw(ENDS)
        for line in lines:
            written += draw(NOISE.filter(bool)) + end if draw(st.booleans()) else ''
            space = '' if line and not line.startswith(' ') and draw(st.booleans()) else ' '
            written += f'data:{space}{line}{end}'
        written += end
        events.append('\n'.join(lines))
    data = written.encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return data, events, cuts


def read(data, cuts):
    reader, events = EventReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        events += reader.feed(data[start:end])
    return events, reader.end()


@given(streams())
def test_events_are_the_same_wherever_their_bytes_are_cut(stream):
    data, events, cuts = stream
    assert read(data, cuts) == (events, [])


@given(streams())
def test_events_are_the_same_when_every_byte_comes_by_itself(stream):
    data, events, _ = stream
    assert read(data, list(range(len(data)))) == (events, [])


def test_an_event_is_given_as_soon_as_its_last_byte_came():
    reader = EventReader()
    assert reader.feed(b'data: a\n') == [] and reader.feed(b'\n') == ['a']
    assert reader.feed(b'data: b\r\r') == ['b'] and reader.feed(b'\n') == []


def test_a_character_cut_in_two_is_one_character():
    data = 'data: bike 🚲\n\n'.encode()
    assert read(data, [13]) == (['bike 🚲'], [])


def test_an_event_cut_short_by_the_end_of_the_stream_is_given_at_the_end():
    assert read(b'data: a\n\ndata: {"b', []) == (['a'], ['{"b'])


def test_comments_and_empty_lines_are_no_events():
    assert read(b': ping\n\n\n: ping\r\n\r\ndata: x\n\n', []) == (['x'], [])


def test_bytes_that_are_no_text_do_not_end_the_stream():
    assert read(b'data: \xff\n\ndata: x\n\n', []) == (['\ufffd', 'x'], [])


def test_an_event_without_end_is_refused():
    reader = EventReader()
    with pytest.raises(ValueError, match='more than 1048576 bytes'):
        for _ in range(LONGEST_EVENT // 65536 + 1):
            reader.feed(b'data: ' + b'x' * 65536)
