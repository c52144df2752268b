"""``rtrack compile``: export a trained model for an engine."""

import argparse
from pathlib import Path
from typing import Final

from rtrack_ros.commands.arguments import add

PRECISIONS: Final = {'openvino': ('int8', 'fp16', 'fp32'), 'llamacpp': ('f16', 'q8_0')}
"""Those of each engine, the default first."""


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'compile', help='export a trained model for an engine',
        description='Export a trained model folder for the embedded engine. The export goes to '
                    'DIR/openvino or DIR/llamacpp. That for OpenVINO needs an environment of its '
                    'own with an older transformers; where that is missing, the command prints '
                    'how to make one.')
    add(parser, '--model')
    add(parser, '--engine', choices=tuple(PRECISIONS), default='openvino',
        help='engine to export for (default: %(default)s)')
    parser.add_argument('--precision', choices=sorted({name for names in PRECISIONS.values()
                                                       for name in names}),
                        help='precision of the weights: '
                        + '; '.join(f'{engine} {", ".join(names)}'
                                    for engine, names in PRECISIONS.items())
                        + ' (default: the first of these)')


def run(args: argparse.Namespace) -> int:
    """Export and say what was written; returns the exit status."""
    from rtrack_ros.commands.model import model_folder

    precision = args.precision or PRECISIONS[args.engine][0]
    folder = _export(args.engine, model_folder(args), precision)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f'wrote {folder} ({precision}, {size / 1e6:.1f} MB)')
    return 0


def _export(engine: str, model: Path, precision: str) -> Path:
    if engine == 'llamacpp':
        from rtrack_ros.engines.llamacpp.export import export_llamacpp
        return export_llamacpp(model, precision)
    from rtrack_ros.engines.openvino_export import export_openvino
    return export_openvino(model, precision)
