import math

import pytest

torch = pytest.importorskip('torch', reason='the transformers extra is not installed')

from rtrack_ros.engines.base import Grammar  # noqa: E402
from rtrack_ros.engines.greedy import GreedyUnderGrammar  # noqa: E402

WORDS = ['<end>', 'a', 'b', 'ab', 'c']
GRAMMAR = Grammar('(ab|abc)', '', '')
PROMPT = [4, 4]


class Letters:
    """A tokenizer whose tokens are ``WORDS``."""

    def decode(self, tokens):
        return ''.join(WORDS[token] for token in tokens)


def choose(written, scores, grammar=GRAMMAR):
    processor = GreedyUnderGrammar(Letters(), len(PROMPT), grammar, 0)
    left = processor(torch.tensor([PROMPT + written]), torch.tensor([scores]))
    assert int(torch.isfinite(left).sum()) == 1
    return WORDS[int(left.argmax())], processor.log_likelihood


@pytest.mark.parametrize(('written', 'scores', 'chosen'), [
    ([], [9.0, 1.0, 8.0, 2.0, 7.0], 'ab'),
    ([], [9.0, 2.0, 8.0, 1.0, 7.0], 'a'),
    ([1], [9.0, 8.0, 1.0, 7.0, 6.0], 'b'),
    ([3], [3.0, 9.0, 8.0, 7.0, 2.0], '<end>'),
    ([1, 2], [2.0, 9.0, 8.0, 7.0, 3.0], 'c'),
    ([3, 4], [0.0, 9.0, 8.0, 7.0, 6.0], '<end>'),
])
def test_the_likeliest_token_that_can_still_become_an_answer(written, scores, chosen):
    assert choose(written, scores)[0] == chosen


def test_without_a_grammar_it_is_the_likeliest():
    assert choose([], [0.0, 1.0, 2.0, 3.0, 4.0], grammar=None)[0] == 'c'


def test_the_probability_is_the_models_own_not_that_under_the_grammar():
    chosen, log_likelihood = choose([3, 4], [math.log(0.25), math.log(0.75), -99.0, -99.0, -99.0])
    assert chosen == '<end>' and math.exp(log_likelihood) == pytest.approx(0.25)


def test_a_vocabulary_that_cannot_go_on_is_an_error():
    with pytest.raises(RuntimeError, match='no token'):
        choose([4], [1.0, 2.0, 3.0, 4.0, 5.0])
