"""Any text may come on a topic; the text of a query is clean."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.language.queries import (
    QueryBook,
    QueryError,
    clean_query_text,
)
from rtrack_ros.limits import MAX_CHARACTERS, Limits, estimated_tokens


@given(st.text(max_size=300))
def test_any_text_is_cleaned_once_and_for_all(text: str) -> None:
    cleaned = clean_query_text(text)
    assert not any(unicodedata.category(char)[0] == 'C' for char in cleaned)
    assert cleaned == cleaned.strip() and '  ' not in cleaned
    assert clean_query_text(cleaned) == cleaned


def test_control_characters_separate_words() -> None:
    assert clean_query_text(' the\tred\x00car\n\n ') == 'the red car'


def test_a_long_text_is_refused_and_changes_nothing() -> None:
    book = QueryBook(count_tokens=lambda text: 1)
    first = book.set('the dog')
    with pytest.raises(QueryError, match='2001'):
        book.set('x' * (MAX_CHARACTERS + 1))
    assert book.active() == (first,)
    assert book.set('y' * MAX_CHARACTERS) is not None


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


def test_sentences_targets_and_ids_are_bounded_and_the_refusal_names_the_limit() -> None:
    book = QueryBook(Limits(sentences=3, targets=1, id_characters=8))
    for name in 'abc':
        assert book.set('people', name) is not None
    before = book.active()
    with pytest.raises(QueryError, match=r'3 sentences.*limits\.sentences'):
        book.set('people', 'd')
    assert book.active() == before
    assert book.set('cars', 'c') is not None  # replacing one is no more
    assert book.set('', 'c') is None
    assert book.set_target('ball', 'c').by_template
    book.remove('b')
    with pytest.raises(QueryError, match=r'1 targets.*limits\.targets'):
        book.set_target('ball', 'b')
    assert book.set_target('dog', 'c').text == 'dog'
    for name in ('x' * 9, 'x' * 1_000_000, 'red\x1b[2J', 'a\nb'):
        with pytest.raises(QueryError, match=r'limits\.id_characters') as refused:
            book.set('people', name)
        assert len(str(refused.value)) < 200 and str(refused.value).isprintable()


def test_length_counts_in_tokens_of_the_model() -> None:
    book = QueryBook(Limits(sentence_tokens=20), count_tokens=lambda text: 2 * len(text.split()))
    assert book.set('one ' * 10) is not None
    with pytest.raises(QueryError, match=r'22 tokens.*at most 20 \(limits\.sentence_tokens\)'):
        book.set('one ' * 11)
    with pytest.raises(QueryError, match=r'limits\.sentence_tokens'):
        book.set_target('one ' * 11)


def test_without_a_tokenizer_emoji_count_for_their_bytes() -> None:
    book = QueryBook()
    assert book.set('the person in the red jacket who stands beside the parked van') is not None
    with pytest.raises(QueryError, match='tokens'):
        book.set('\N{GRINNING FACE}' * 2000)
    assert estimated_tokens('the person in the red jacket') == 10
    assert estimated_tokens('\N{GRINNING FACE}' * 10) == 40


def test_a_flood_under_other_ids_cannot_take_the_place_of_the_plain_topic() -> None:
    book = QueryBook(Limits(sentences=2))
    for name in 'abcd':
        with suppress(QueryError):
            book.set('cars', name)
    assert book.set('the person in red') is not None
    assert {query.id for query in book.active()} == {'a', 'b', 'default'}
    with pytest.raises(QueryError, match='2 sentences'):
        book.set('cars', 'c')
