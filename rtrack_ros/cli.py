"""``rtrack``: simulate, track, evaluate and more from the command line, without ROS.

A command is a module of :mod:`rtrack_ros.commands` with ``add_parser(subparsers)``, which
registers its arguments, and ``run(args)``, which returns the exit status. Modules import what is
heavy inside ``run``, so that ``rtrack --help`` is instant and works without the extras.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from rtrack_ros import __version__

COMMANDS = ('simulate', 'track', 'evaluate', 'benchmark', 'demo', 'train', 'compose', 'convert',
            'compile')
"""Modules of :mod:`rtrack_ros.commands` in the order of ``rtrack --help``."""

EXTRAS = {
    'accelerate': 'train', 'datasets': 'train', 'jinja2': 'eval', 'matplotlib': 'eval',
    'onnx': 'train', 'openvino': 'openvino', 'openvino_genai': 'openvino', 'peft': 'train',
    'rosbags': 'bag', 'torch': 'transformers', 'trackers': 'bytetrack', 'trackeval': 'eval',
    'transformers': 'transformers', 'trl': 'train',
}
"""Which extra of ours brings a package that may be missing."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog='rtrack', description='Say in a sentence what to follow, and have it followed in '
                                   'RGB and thermal.')
    parser.add_argument('--version', action='version', version=f'rtrack {__version__}')
    subparsers = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    for name in COMMANDS:
        module = _command(name)
        known = set(subparsers.choices)
        module.add_parser(subparsers)
        for added in set(subparsers.choices) - known:
            subparsers.choices[added].set_defaults(run=module.run)
    return parser


def _command(name: str) -> ModuleType:
    return importlib.import_module(f'rtrack_ros.commands.{name}')


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a failure is one line that names the remedy."""
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args) or 0)
    except KeyboardInterrupt:
        print(f'rtrack {args.command}: interrupted', file=sys.stderr)
        return 130
    except Exception as error:
        reason = _explain(error)
        if reason is None:
            raise
        print(f'rtrack {args.command}: {reason}', file=sys.stderr)
        return 2


def _explain(error: Exception) -> str | None:
    """Return what to tell the user, None where the failure is a fault of ours."""
    from rtrack_ros.commands import CommandError
    from rtrack_ros.data.mot import MotError
    from rtrack_ros.data.pairs import DataError
    from rtrack_ros.engines.base import EngineError
    from rtrack_ros.evaluation.metrics.hota import MissingTrackEval
    from rtrack_ros.language.queries import QueryError

    if isinstance(error, (CommandError, DataError, EngineError, MissingTrackEval, MotError,
                          QueryError)):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name in EXTRAS:
        return (f'this needs the package {error.name}; install it with '
                f"pip install 'rtrack_ros[{EXTRAS[error.name]}]'")
    if isinstance(error, OSError) and error.filename is not None:
        return f'{error.filename}: {error.strerror}'
    return None


if __name__ == '__main__':
    sys.exit(main())
