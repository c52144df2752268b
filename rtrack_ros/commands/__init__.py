"""The commands of ``rtrack``, one module each."""

import argparse


class CommandError(Exception):
    """A command cannot go on; the message is one line that names the remedy."""


def positive(text: str) -> float:
    """Return a number above 0, for ``argparse``."""
    value = float(text)
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} is not above 0')
    return value
