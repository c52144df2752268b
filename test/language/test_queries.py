"""Any text may come on a topic; the text of a query is clean."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.language.queries import (
    MAX_QUERY_CHARACTERS,
    QueryBook,
    QueryError,
    clean_query_text,
)


@given(st.text(max_size=300))
def test_any_text_is_cleaned_once_and_for_all(text: str) -> None:
    cleaned = clean_query_text(text)
    assert not any(unicodedata.category(char)[0] == 'C' for char in cleaned)
    assert cleaned == cleaned.strip() and '  ' not in cleaned
    assert clean_query_text(cleaned) == cleaned


def test_control_characters_separate_words() -> None:
    assert clean_query_text(' the\tred\x00car\n\n ') == 'the red car'


def test_a_long_text_is_refused_and_changes_nothing() -> None:
    book = QueryBook()
    first = book.set('the dog')
    with pytest.raises(QueryError, match='2001'):
        book.set('x' * (MAX_QUERY_CHARACTERS + 1))
    assert book.active() == (first,)
    assert book.set('y' * MAX_QUERY_CHARACTERS) is not None


def test_every_change_raises_the_epoch_and_no_change_does_not() -> None:
    book = QueryBook()
    first = book.set('the dog')
    assert book.set('  the   dog ') is first
    second = book.set('the cat')
    other = book.set('the cars', 'traffic')
    assert first.epoch < second.epoch < other.epoch == book.epoch
    assert book.active() == (second, other)


def test_an_empty_text_clears() -> None:
    book = QueryBook()
    book.set('the dog')
    epoch = book.epoch
    assert book.set(' \n ') is None
    assert book.active() == () and book.epoch > epoch
    assert not book.remove('default')


@given(st.lists(st.tuples(st.sampled_from('abc'), st.sampled_from(['', 'x', 'y', 'z']))))
def test_an_epoch_never_names_two_sentences(changes) -> None:
    book, seen = QueryBook(), {}
    for query_id, text in changes:
        query = book.set(text, query_id)
        if query is not None:
            assert seen.setdefault(query.epoch, (query.id, query.text)) == (query.id, query.text)
    book.clear()
    assert book.active() == ()


def test_a_target_takes_the_place_of_a_sentence_under_a_new_epoch() -> None:
    book = QueryBook()
    sentence = book.set('the ball')
    target = book.set_target(' the  ball ')
    assert sentence is not None and target.epoch > sentence.epoch and target.by_template
    assert book.active() == (target,) and target.text == 'the ball'
    again = book.set('the ball')
    assert again is not None and again.epoch > target.epoch and not again.by_template
    with pytest.raises(QueryError):
        book.set_target(' ')
    assert book.active() == (again,)


def test_every_change_from_any_thread_counts_once() -> None:
    book = QueryBook()

    def change(number: int) -> None:
        for turn in range(200):
            book.set(f'sentence {turn}', str(number))
            book.remove(str(number))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(change, range(4)))
    assert (book.epoch, book.active()) == (4 * 200 * 2, ())
