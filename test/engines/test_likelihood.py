import math

import pytest

from rtrack_ros.engines.likelihood import mean_token_probability


def test_it_is_the_geometric_mean():
    assert mean_token_probability(math.log(0.9) + math.log(0.4), 2) == pytest.approx(0.6)
    assert mean_token_probability(0.0, 5) == 1.0


@pytest.mark.parametrize(('total', 'tokens'), [(0.0, 0), (-math.inf, 3), (math.nan, 3)])
def test_no_tokens_or_no_number_is_unknown(total, tokens):
    assert mean_token_probability(total, tokens) is None
