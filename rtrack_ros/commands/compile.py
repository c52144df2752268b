"""``rtrack compile``: export a trained model for an engine."""

import argparse

from rtrack_ros.commands.arguments import add


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'compile', help='export a trained model for an engine',
        description='Export a trained model folder for the embedded engine. The export goes to '
                    'DIR/openvino. It needs an environment of its own with an older '
                    'transformers; where that is missing, the command prints how to make one.')
    add(parser, '--model', help='folder of the model (default: the model of the package)')
    add(parser, '--engine', choices=('openvino',), default='openvino',
        help='engine to export for (default: %(default)s)')
    parser.add_argument('--precision', choices=('int8', 'fp16', 'fp32'), default='int8',
                        help='precision of the weights (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Export and say what was written; returns the exit status."""
    from rtrack_ros.commands.model import model_folder
    from rtrack_ros.engines.openvino_export import export_openvino

    folder = export_openvino(model_folder(args), args.precision)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f'wrote {folder} ({args.precision}, {size / 1e6:.1f} MB)')
    return 0
