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


def add_refine(parser: 'argparse._ActionsContainer', default: str = 'auto') -> None:
    """Add ``--refine``, see ``language.refine.make_grounder``."""
    parser.add_argument('--refine', choices=('auto', 'always', 'never'), default=default,
                        help='whether every box of an answer is looked at again from near; auto: '
                             'where rtrack.json of the model says that it gains and nobody '
                             'waits for answers (default: %(default)s)')
