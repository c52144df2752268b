"""``rtrack``: simulate, track, evaluate and more from the command line, without ROS."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from rtrack_ros import missing_packages
from rtrack_ros.commands.parser import build_parser
from rtrack_ros.foreign_text import ForeignNameError, harmless


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a failure is one line that names the remedy."""
    args = build_parser().parse_args(argv)
    from rtrack_ros.commands.terminal import harmless_output

    # Training shows live tables of its own, of nothing that comes from outside.
    with nullcontext() if args.command == 'train' else harmless_output():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    from rtrack_ros.commands.own_files import check_own_files

    try:
        check_own_files(args)
        return int(args.run(args) or 0)
    except KeyboardInterrupt:
        print(f'rtrack {args.command}: interrupted', file=sys.stderr)
        return 130
    except Exception as error:
        reason = _explain(error)
        if reason is None:
            raise
        print(f'rtrack {args.command}: {harmless(reason)}', file=sys.stderr)
        return 2


def _explain(error: Exception) -> str | None:
    """Return what to tell the user, None where the failure is a fault of ours."""
    from rtrack_ros.commands import CommandError
    from rtrack_ros.data.mot import MotError
    from rtrack_ros.data.pairs import DataError
    from rtrack_ros.detectors.base import DetectorError
    from rtrack_ros.engines.base import EngineError
    from rtrack_ros.evaluation.metrics.hota import MissingTrackEval
    from rtrack_ros.files import FolderInUseError, disk_is_full
    from rtrack_ros.language.queries import QueryError
    from rtrack_ros.output_files import OutputError
    from rtrack_ros.provenance import ProvenanceError
    from rtrack_ros.training.failure import TrainingError
    from rtrack_ros.training.yaml_settings import SettingsError

    if isinstance(error, (CommandError, DataError, DetectorError, EngineError, FolderInUseError,
                          ForeignNameError, MissingTrackEval, MotError, OutputError,
                          ProvenanceError, QueryError, SettingsError, TrainingError)):
        return str(error)
    if disk_is_full(error):
        return (f'{_place(error)}the disk is full; make room and give the same command again; '
                'what is whole is kept')
    if isinstance(error, ModuleNotFoundError):
        return missing_packages.remedy(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f'{error.filename}: {error.strerror}'
    return None


def _place(error: Exception) -> str:
    return f'{error.filename}: ' if isinstance(error, OSError) and error.filename else ''


if __name__ == '__main__':
    sys.exit(main())
