"""``rtrack compile``: export a trained model for an engine."""

import argparse
from pathlib import Path


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'compile', help='export a trained model for an engine',
        description='Export a trained model folder for the embedded engine. It writes '
                    'DIR/openvino and needs an environment of its own with an older '
                    'transformers; where that is missing, it prints how to make one.')
    parser.add_argument('--model', type=Path, default=None, metavar='DIR',
                        help='model folder (default: the model of the package)')
    parser.add_argument('--engine', choices=('openvino',), default='openvino')
    parser.add_argument('--precision', choices=('int8', 'fp16', 'fp32'), default='int8',
                        help='precision of the weights (default: int8)')


def run(args: argparse.Namespace) -> int:
    """Export and say what was written; returns the exit status."""
    from rtrack_ros.engines.openvino_export import export_openvino
    from rtrack_ros.engines.registry import default_model

    folder = export_openvino(args.model or default_model(), args.precision)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f'wrote {folder} ({args.precision}, {size / 1e6:.1f} MB)')
    return 0
