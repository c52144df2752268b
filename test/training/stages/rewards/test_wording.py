"""Rewards of words: exact where a word decides, by overlap where a sentence describes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros.boxes import as_boxes
from rtrack_ros.training.stages.rewards.completion import Completion, Truth
from rtrack_ros.training.stages.rewards.wording import described, exact_words

TRUE = 'person in red with blue trousers walking to the left'
sentences = st.lists(st.sampled_from(TRUE.split() + ['car', 'green']), max_size=8).map(' '.join)


def truth(words: str) -> Truth:
    return Truth(as_boxes([]), words=words)


def score(said: str, meant: str = TRUE) -> float:
    return described(Completion(said), truth(meant))


@pytest.mark.parametrize(('said', 'reward'), [
    ('Yes', 1), (' Yes\n', 1), ('yes', 0), ('Yes, it is', 0), ('No', 0), ('', 0)])
def test_a_verdict_is_right_or_wrong(said: str, reward: float) -> None:
    assert exact_words(Completion(said), truth('Yes')) == reward


@given(sentences, sentences)
def test_overlap_is_a_share_and_does_not_care_who_is_first(said: str, meant: str) -> None:
    assert 0 <= score(said, meant) <= 1
    assert score(said, meant) == score(meant, said)


@given(sentences)
def test_only_the_same_words_in_the_same_order_earn_all(said: str) -> None:
    content = [word for word in said.split() if word not in ('in', 'with', 'to', 'the')]
    wanted = [word for word in TRUE.split() if word not in ('in', 'with', 'to', 'the')]
    assert (score(said) == 1) == (content == wanted)


def test_what_is_more_right_earns_more() -> None:
    swapped = 'person in blue with red trousers walking to the left'
    other_way = 'person in red with blue trousers walking to the right'
    assert score(TRUE) == 1 > score(other_way) > score('person in red') > score('person') > 0
    assert score(swapped) < score(other_way)
    assert score('car driving') == score('') == score('in the to') == 0
    assert score(TRUE + ' person in green with blue trousers') < 1
