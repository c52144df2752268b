"""The parser of ``rtrack``, put together from the modules of the commands.

A command is a module of :mod:`rtrack_ros.commands` with ``add_parser(subparsers)``, which
registers its arguments, and ``run(args)``, which returns the exit status. Modules import what is
heavy inside ``run``, so that ``rtrack --help`` is instant and works without the extras.
"""

import argparse
import importlib
from typing import Final

from rtrack_ros import __version__

COMMANDS: Final = ('simulate', 'track', 'evaluate', 'benchmark', 'demo', 'calibrate', 'train',
                   'compose', 'convert', 'compile', 'serve')
"""Modules of :mod:`rtrack_ros.commands` in the order of ``rtrack --help``."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog='rtrack', description='Say in a sentence what to follow, and have it followed in '
                                   'RGB and thermal.')
    parser.add_argument('--version', action='version', version=f'rtrack {__version__}',
                        help='print the version')
    subparsers = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    for name in COMMANDS:
        module = importlib.import_module(f'rtrack_ros.commands.{name}')
        known = set(subparsers.choices)
        module.add_parser(subparsers)
        for added in set(subparsers.choices) - known:
            subparsers.choices[added].set_defaults(run=module.run)
    return parser
