"""``rtrack calibrate``: how the thermal camera lies over the RGB camera, from a recording."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, count

if TYPE_CHECKING:
    from rtrack_ros.commands.calibrate.estimation import Calibration
    from rtrack_ros.data.reading import RecordedPairs
    from rtrack_ros.intake.config import IntakeConfig


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'calibrate', help='find homography and time offset of the thermal camera in a recording',
        description='Find the homography from thermal to RGB pixels by the edges that both '
                    'cameras see in many pairs, and by how much the stamps differ by what moves '
                    'for both. Written are the parameters of the node and a picture to look at: '
                    'edges of the thermal image, in red, over RGB, before on the left and after '
                    'on the right. Record by day, a scene with edges all over the image at the '
                    'distance at which you want to track; cameras side by side cannot fit at all '
                    'distances. For the time offset something must move.')
    parser.add_argument('recording', type=Path, nargs='?', metavar='RECORDING',
                        help='a video, a folder of images, or a bag; the same as --rgb')
    add(parser, '--rgb', '--thermal', '--rgb-topic', '--thermal-topic', '--fps')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE',
                        help='file for the parameters thermal.homography and '
                             'sync.thermal_offset_ms')
    parser.add_argument('--picture', type=Path, default=None, metavar='PNG',
                        help='the picture to look at (default: beside --out)')
    parser.add_argument('--pairs', type=count, default=16, metavar='N',
                        help='pairs that the homography is found by, spread over the recording '
                             '(default: %(default)s)')
    add(parser, '--seconds', default=30.0,
                        help='length of the recording that the time offset is measured in '
                             '(default: %(default)g)')


def run(args: argparse.Namespace) -> int:
    """Find, write and show; returns the exit status, 1 where the result is not to be trusted."""
    from rtrack_ros.commands.calibrate.estimation import calibrate, parameters_yaml, png
    from rtrack_ros.commands.results import Results
    from rtrack_ros.data.videos import open_pairs
    from rtrack_ros.files import write_whole
    from rtrack_ros.intake.registration import RegistrationError
    from rtrack_ros.output_files import check_outputs

    if (args.recording is None) == (args.rgb is None):
        raise CommandError('name one recording: a video, a folder of images or a bag, as '
                           'RECORDING or as --rgb')
    rgb = args.rgb or args.recording
    shown = args.picture or args.out.with_suffix('.png')
    check_outputs({'--out': args.out, '--picture': shown}, [rgb, args.thermal])

    def opened(config: 'IntakeConfig | None') -> 'RecordedPairs':
        return open_pairs(rgb, args.thermal, args.fps, config, args.rgb_topic, args.thermal_topic)

    try:
        found = calibrate(opened, args.pairs, args.seconds)
    except RegistrationError as error:
        raise CommandError(str(error)) from error
    results = Results()
    results.show(*_lines(found))
    results.write(args.out, parameters_yaml(found))
    write_whole(shown, png(found))
    results.wrote(shown)
    return 0 if found.trusted else 1


def _lines(found: 'Calibration') -> list[str]:
    fit, offset = found.registration, found.offset
    lines = [f'{fit.blocks} parts of the image fit with a residual of {fit.residual_px:.2f} RGB '
             f'pixels; edges agree {fit.agreement:.2f}, before {fit.before:.2f}']
    if offset is None:
        lines.append('the time offset could not be measured: too little moves for both cameras')
    else:
        lines.append(f'thermal stamps are {offset.offset_ms:+.0f} ms off those of RGB '
                     f'(agreement {offset.agreement:.2f})')
    if not found.trusted:
        lines.append('this fit is not to be trusted: look at the picture, and record a scene '
                     'with edges that both cameras see')
    return lines
