"""The commands of ``rtrack``, one module each."""

import argparse

HELD_OUT_SEED = 9_500_000
"""First scene seed of the benchmarks; no training and no tuning touches scenes from here on."""


class CommandError(Exception):
    """A command cannot go on; the message is one line that names the remedy."""


def positive(text: str) -> float:
    """Return a number above 0, for ``argparse``."""
    value = float(text)
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} is not above 0')
    return value
