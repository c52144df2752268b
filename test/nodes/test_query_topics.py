"""Sentences from topics change the active queries, or are refused with a reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtrack_ros.msg import ReferringQuery
from std_msgs.msg import String

from rtrack_ros.language.queries import QueryBook
from rtrack_ros.nodes.query_topics import QueryCommands


class Desk:
    def __init__(self) -> None:
        self.book = QueryBook()
        self.warnings: list[str] = []
        self.changes = 0
        self.commands = QueryCommands(self.book, self.warnings.append, self.count)

    def count(self) -> None:
        self.changes += 1

    def send(self, operation: int, query_id: str = '', text: str = '') -> None:
        self.commands.on_query(ReferringQuery(operation=operation, id=query_id, text=text))

    def texts(self) -> dict[str, str]:
        return {query.id: query.text for query in self.book.active()}


def test_a_sentence_replaces_the_one_before_and_an_empty_one_ends_it() -> None:
    desk = Desk()
    desk.commands.on_sentence(String(data='the people'))
    desk.commands.on_sentence(String(data='every car'))
    assert desk.texts() == {'default': 'every car'}
    desk.commands.on_sentence(String(data='every car'))
    assert desk.changes == 2
    desk.commands.on_sentence(String(data=' '))
    assert desk.texts() == {} and desk.changes == 3


def test_an_overlong_sentence_changes_nothing() -> None:
    desk = Desk()
    desk.commands.on_sentence(String(data='the people'))
    desk.commands.on_sentence(String(data='x' * 2001))
    assert desk.texts() == {'default': 'the people'} and desk.changes == 1
    assert '2001 characters; send at most 2000' in desk.warnings[0]


@settings(deadline=None)
@given(text=st.text(max_size=2500), operation=st.integers(0, 255),
       query_id=st.sampled_from(['', 'a', 'b']))
def test_no_text_or_operation_raises(text: str, operation: int, query_id: str) -> None:
    desk = Desk()
    text = text.encode('utf-8', 'ignore').decode()
    desk.commands.on_sentence(String(data=text))
    desk.send(operation, query_id, text)
    assert all(query.text.isprintable() for query in desk.book.active())


def test_several_queries_live_side_by_side() -> None:
    desk = Desk()
    desk.send(ReferringQuery.ADD, 'a', 'the people')
    desk.send(ReferringQuery.ADD, 'b', 'every car')
    desk.send(ReferringQuery.REPLACE, 'a', 'all cyclists')
    assert desk.texts() == {'a': 'all cyclists', 'b': 'every car'}
    desk.send(ReferringQuery.REMOVE, 'a')
    assert desk.texts() == {'b': 'every car'}
    desk.send(ReferringQuery.CLEAR)
    assert desk.texts() == {} and desk.warnings == [] and desk.changes == 5


@pytest.mark.parametrize('operation, query_id, reason', [
    (ReferringQuery.ADD, 'a', 'send REPLACE'), (ReferringQuery.REMOVE, 'z', 'nothing was removed'),
    (99, 'a', 'unknown operation 99')])
def test_a_refused_command_says_why(operation: int, query_id: str, reason: str) -> None:
    desk = Desk()
    desk.send(ReferringQuery.ADD, 'a', 'the people')
    desk.send(operation, query_id, 'every car')
    assert desk.texts() == {'a': 'the people'} and desk.changes == 1
    assert reason in desk.warnings[0]


def test_a_caller_hears_whether_a_sentence_is_followed() -> None:
    desk = Desk()
    assert desk.commands.set('the people') == '' and desk.commands.set('every car', 'b') == ''
    assert desk.texts() == {'default': 'the people', 'b': 'every car'}
    assert '2001 characters; send at most 2000' in desk.commands.set('x' * 2001)
    assert desk.commands.set('', 'b') == '' and desk.texts() == {'default': 'the people'}
    assert 'nothing was removed' in desk.commands.set(' ', 'b')
    assert desk.commands.set('') == '' and desk.commands.set('') == '', 'nothing is followed'
    assert desk.warnings == [] and desk.changes == 4
