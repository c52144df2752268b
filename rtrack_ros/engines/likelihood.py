"""Confidence of a generated answer from the probabilities of its tokens."""

import math


def mean_token_probability(log_likelihood: float, tokens: int) -> float | None:
    """Return the geometric mean probability of ``tokens`` chosen tokens, in [0, 1].

    Args:
        log_likelihood: Sum of the natural logarithms of the chosen tokens' probabilities.
        tokens: Number of tokens; None is returned for no tokens.
    """
    if tokens < 1 or not math.isfinite(log_likelihood):
        return None
    return min(math.exp(log_likelihood / tokens), 1.0)
