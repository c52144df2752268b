"""Rewards of answers in words: a verdict, a description."""

from collections import Counter
from typing import Final

from rtrack_ros.training.stages.rewards.completion import Completion, Truth

_EMPTY: Final = frozenset(('a', 'an', 'the', 'in', 'on', 'at', 'of', 'to', 'with', 'and', 'is'))


def exact_words(said: Completion, truth: Truth) -> float:
    """Return 1 where the text is the answer, letter by letter but for outer spaces, else 0."""
    return float(said.text.strip() == truth.words)


def described(said: Completion, truth: Truth) -> float:
    """Return how much of a description is right, in [0, 1].

    ``R = 2 * |S & T| / (|S| + |T|)`` over the multisets S and T of the words and of the pairs of
    neighbouring words, words without meaning of their own left out. The pairs tell red with blue
    trousers from blue with red ones. Saying more than is true lowers the reward as saying less
    does; nothing said is 0.

    Our choice: OmniPT (arXiv 2511.17053) reports captioning scores, which are overlaps of this
    kind, and publishes no reward for describing.
    """
    answered, true = _pieces(said.text), _pieces(truth.words)
    total = answered.total() + true.total()
    return 2 * (answered & true).total() / total if total else 0.0


def _pieces(text: str) -> Counter[tuple[str, ...]]:
    words = [word for word in text.lower().replace(',', ' ').split() if word not in _EMPTY]
    return Counter([(word,) for word in words] + list(zip(words, words[1:], strict=False)))
