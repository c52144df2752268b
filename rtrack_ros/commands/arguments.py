"""The options that several commands have: one name means one thing in all of them.

A command adds them by name with :func:`add`, and may change the default and the help. What a
value is (a number, a folder, a file) is said here alone.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rtrack_ros.commands import CommandError
from rtrack_ros.data.layouts import LAYOUTS

if TYPE_CHECKING:
    from rtrack_ros.evaluation.streaming.latency import LatencyProfile
    from rtrack_ros.evaluation.streaming.protocol import OwnCost

HELD_OUT_SEED: Final = 9_500_000
"""First scene seed of the benchmarks; no training and no tuning touches scenes from here on."""
DEFAULT_PROFILE: Final = 'orin-qwen3vl-2b-int4'
MIN_SIDE: Final = 16


def positive(text: str) -> float:
    """Return a number above 0, for ``argparse``."""
    value = float(text)
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} is not above 0')
    return value


def count(text: str) -> int:
    """Return a whole number from 1 on, for ``argparse``."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'{text} is too small; give at least 1')
    return value


def percent(text: str) -> float:
    """Return a number from 0 to 100, for ``argparse``."""
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f'{text} is not between 0 and 100')
    return value


def names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas, for ``argparse``."""
    return tuple(name.strip() for name in text.split(',') if name.strip())


def image_size(text: str) -> tuple[int, int]:
    """Return (width, height) in pixels of a text such as 640x480, for ``argparse``."""
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal()
            and min(int(width), int(height)) >= MIN_SIDE):
        raise argparse.ArgumentTypeError(
            f"'{text}': write it like 640x480, at least {MIN_SIDE}x{MIN_SIDE}")
    return int(width), int(height)


def model(text: str) -> Path | str:
    """Return the folder of a model, or the URL of the server that has it, for ``argparse``."""
    from rtrack_ros.engines.server.address import is_server_url

    return text if is_server_url(text) else Path(text)


_MODEL: Final[Mapping[str, Mapping[str, Any]]] = {
    '--model': {'type': model, 'metavar': 'MODEL',
                'help': 'folder of the model, GGUF file of it, or URL of a server that has it '
                        '(default: the model of the package)'},
    '--engine': {'metavar': 'NAME', 'default': 'auto',
                 'help': 'engine that runs the model: auto, openvino, llamacpp, transformers or '
                         'server '
                         '(default: %(default)s)'},
    '--refine': {'choices': ('auto', 'always', 'never'), 'default': 'auto',
                 'help': 'whether the model looks a second time, from near, at every box of its '
                         'answer; auto: where rtrack.json of the model says that this is better '
                         '(default: %(default)s)'},
    '--split-sentences': {'choices': ('auto', 'always', 'never'), 'default': 'auto',
                          'help': 'whether a sentence that denies or relates is asked as two; '
                                  'auto: where rtrack.json of the model says that this is better '
                                  '(default: %(default)s)'},
    '--deadline': {'type': positive, 'metavar': 'SECONDS', 'default': 30.0,
                   'help': 'longest time for one answer (default: %(default)g)'},
    '--answers': {'metavar': 'SOURCE', 'choices': ('oracle', 'model'), 'default': 'oracle',
                  'help': 'where answers come from: the model, or oracle, the truth with seeded '
                          'faults (default: %(default)s)'},
}
_SERVER: Final[Mapping[str, Mapping[str, Any]]] = {
    '--dialect': {'metavar': 'NAME',
                  'help': 'what the server speaks (default: auto, which finds out)'},
    '--served-model': {'metavar': 'NAME',
                       'help': 'the name by which the server knows the model (default: the only '
                               'one it has)'},
    '--model-family': {'metavar': 'NAME',
                       'help': 'family of the model, such as qwen3_vl (default: recognised by '
                               'the name of the model)'},
    '--manifest': {'type': Path, 'metavar': 'DIR',
                   'help': 'folder with an rtrack.json of the model, which holds in place of what '
                           'is known of its family'},
    '--model-image-size': {'type': image_size, 'metavar': 'WxH',
                           'help': 'size at which the model is shown images (default: that of '
                                   'the manifest or the family)'},
}
_RECORDINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    '--clips': {'type': Path, 'default': None, 'metavar': 'DIR', 'help': 'folder of clips'},
    '--detector': {'type': Path, 'default': None, 'metavar': 'PATH',
                   'help': 'network that says where objects are: an .onnx file, the .xml file of '
                           'OpenVINO, or the folder of PicoDet from make picodet'},
    '--rgb': {'type': Path, 'metavar': 'PATH',
              'help': 'a video, a folder of images, or a bag that holds both cameras'},
    '--thermal': {'type': Path, 'metavar': 'PATH',
                  'help': 'the thermal video or folder of images; paired by the time of the '
                          'videos, and by the numbers or times in the names of images'},
    '--fps': {'type': positive, 'metavar': 'N', 'default': 30.0,
              'help': 'images per second of a folder whose names are no times '
                      '(default: %(default)g)'},
    '--rgb-topic': {'metavar': 'TOPIC',
                    'help': 'topic of the colour camera in a bag (default: /rgb/image_raw, or '
                            'the only one there is)'},
    '--thermal-topic': {'metavar': 'TOPIC',
                        'help': 'topic of the thermal camera in a bag (default: '
                                '/thermal/image_raw, or the only one there is)'},
    '--params': {'type': Path, 'metavar': 'YAML',
                 'help': 'parameter file of the node, such as config/tracker.yaml: the recording '
                         'is paired, scaled, registered, asked about and tracked as the node does '
                         'it'},
    '--allow-missing': {'type': percent, 'metavar': 'PERCENT', 'default': 10.0,
                        'help': 'share of the images that may be damaged or missing; where more '
                                'is, the exit status is 1 (default: %(default)g)'},
    '--query': {'metavar': 'SENTENCE', 'help': 'the sentence that says what to follow'},
    '--truth': {'type': Path, 'metavar': 'FILE',
                'help': 'true boxes as MOTChallenge rows, frames from 1'},
    '--tracks': {'type': Path, 'metavar': 'FILE', 'help': 'tracks as MOTChallenge rows'},
    '--frames': {'type': count, 'metavar': 'N', 'help': 'number of frames'},
}
_SCENES: Final[Mapping[str, Mapping[str, Any]]] = {
    '--scenes': {'type': count, 'metavar': 'N',
                 'help': 'number of simulated scenes (default: %(default)s)'},
    '--scenes-per-condition': {
        'type': count, 'metavar': 'N',
        'help': 'tracked scenes for each condition of light and weather (default: %(default)s)'},
    '--seed': {'type': int, 'metavar': 'N', 'default': HELD_OUT_SEED,
               'help': 'seed of the first scene; scenes from the default on are held out, so tune '
                       'below it (default: %(default)s)'},
    '--seconds': {'type': positive, 'metavar': 'SECONDS',
                  'help': 'length of a scene (default: %(default)g)'},
    '--soak': {'type': float, 'default': 30.0, 'metavar': 'MINUTES',
               'help': 'length of the part soak; 0 leaves it out (default: %(default)g)'},
    '--track-counts': {'type': count, 'nargs': '+', 'default': (1, 10, 50), 'metavar': 'N',
                       'help': 'numbers of tracks (default: 1 10 50)'},
    '--plot': {'type': Path, 'metavar': 'SVG', 'help': 'write a plot of the figures'},
    '--sentences': {'type': count, 'metavar': 'N',
                    'help': 'sentences for each scene (default: %(default)s)'},
    '--negations': {'action': 'store_true',
                    'help': 'ask negated and counterfactual sentences instead, such as "the '
                            'person not in red" or "the car behind the truck" where no truck is'},
    '--size': {'type': image_size, 'metavar': 'WxH', 'default': '640x480',
               'help': 'size of the images in pixels (default: %(default)s)'},
}
_VIRTUAL_TIME: Final[Mapping[str, Mapping[str, Any]]] = {
    '--profile': {'metavar': 'PROFILE', 'default': DEFAULT_PROFILE,
                  'help': 'how long the engine takes to answer: the name of a device with a '
                          'model, or seconds (default: %(default)s)'},
    '--methods': {'type': names, 'metavar': 'NAME,...', 'default': 'all',
                  'help': 'methods to compare: rtrack_ros, "rtrack_ros + detector", '
                          '"rtrack_ros + detector + judge", blocking model, Kalman only, '
                          'ByteTrack, static first box, perfect motion, ..., or all; a name that '
                          'is none shows the whole list (default: %(default)s)'},
    '--own-cost-ms': {'type': float, 'metavar': 'MS',
                      'help': 'time charged for every call of a method, so that results are the '
                              'same on every machine (default: the processor time it takes)'},
}
_TRAINING: Final[Mapping[str, Mapping[str, Any]]] = {
    '--layout': {'metavar': 'NAME', 'choices': LAYOUTS,
                 'help': f'how the data set is stored: {", ".join(LAYOUTS)}'},
    '--set': {'type': Path, 'metavar': 'DIR', 'help': 'folder of the data set'},
    '--data': {'metavar': 'DIR', 'default': 'simulation',
               'help': 'folder of the data to learn from, or simulation (default: %(default)s)'},
    '--config': {'type': Path, 'metavar': 'YAML',
                 'help': 'configuration: a file, or a name that rtrack train config knows '
                         '(default: %(default)s)'},
    '--steps': {'type': count, 'metavar': 'N', 'help': 'number of optimisation steps'},
    '--parts': {'nargs': '+', 'metavar': 'PART'},
    '--workers': {'type': count, 'metavar': 'N', 'default': 1,
                  'help': 'number of processes (default: %(default)s)'},
    '--ray': {'metavar': 'ADDRESS',
              'help': 'track on a Ray cluster, with --workers processes there: auto, HOST:PORT or '
                      'ray://HOST:PORT; local starts one on this machine (needs the extra '
                      'cluster)'},
}
_RESULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    '--out': {'type': Path, 'metavar': 'DIR', 'help': 'folder to write to'},
    '--json': {'type': Path, 'metavar': 'FILE',
               'help': 'write the figures as JSON; - is standard output, and tables then go to '
                       'standard error'},
    '--report': {'type': Path, 'metavar': 'HTML', 'help': 'write a page that compares the runs'},
}
_TOOLKIT: Final[Mapping[str, Mapping[str, Any]]] = {
    '--environment': {'type': Path, 'metavar': 'ENV',
                      'help': 'Python environment, or folder of programs, that has the toolkit of '
                              'the server (default: the search path)'},
    '--container': {'metavar': 'IMAGE',
                    'help': 'container image that has the toolkit; run by docker'},
    '--ready-timeout': {'type': positive, 'metavar': 'SECONDS', 'default': 3600.0,
                        'help': 'longest time until the server answers, building included '
                                '(default: %(default)g)'},
    '--self-test': {'choices': ('refuse', 'warn', 'off'), 'default': 'refuse',
                    'help': 'what to do about a model that boxes wrongly in known pictures '
                            '(default: %(default)s)'},
    '--dry-run': {'action': 'store_true', 'help': 'print what would be done and do nothing'},
}
SHARED: Final = {**_MODEL, **_SERVER, **_RECORDINGS, **_SCENES, **_VIRTUAL_TIME, **_TRAINING,
                 **_RESULTS, **_TOOLKIT}
"""Settings of ``add_argument`` by the name of an option."""


def add(parser: 'argparse._ActionsContainer', *options: str, **changes: Any) -> None:
    """Add shared options to a parser.

    Args:
        parser: A parser, or a group of one.
        options: Names of options of ``SHARED``.
        changes: What is different for this command, for ``add_argument``.
    """
    for option in options:
        parser.add_argument(option, **{**SHARED[option], **changes})


def add_server(parser: argparse.ArgumentParser) -> None:
    """Add the options of a model that is named by a URL; its API key comes from elsewhere."""
    add(parser.add_argument_group(
        'a model behind a URL', 'Where the server wants an API key, put it into the environment '
                                'variable RTRACK_API_KEY.'), *_SERVER)


def add_topics(parser: 'argparse._ActionsContainer') -> None:
    """Add the options of a bag whose topics have other names."""
    add(parser, '--rgb-topic', '--thermal-topic')


def add_losses(parser: 'argparse._ActionsContainer') -> None:
    """Add what a recording may lack."""
    add(parser, '--allow-missing')


def add_parts(parser: 'argparse._ActionsContainer', parts: Sequence[str]) -> None:
    """Add ``--parts``, which chooses among the parts of a benchmark; all by default."""
    add(parser, '--parts', choices=parts, default=list(parts),
        help=f'which parts to run: {", ".join(parts)} (default: all)')


def add_scenes(parser: argparse.ArgumentParser, scenes: int) -> None:
    """Add which held-out scenes are replayed in virtual time; ``scenes`` is the default number."""
    add(parser, '--scenes', default=scenes)
    add(parser, '--seed')
    add(parser, '--seconds', default=12.0)
    add(parser, '--sentences', default=3)


def own_cost(args: argparse.Namespace) -> 'OwnCost':
    """Return what ``--own-cost-ms`` says, measured processor time without it."""
    from rtrack_ros.evaluation.streaming.protocol import FixedTime, ProcessorTime

    return ProcessorTime() if args.own_cost_ms is None else FixedTime(args.own_cost_ms * 1e-3)


def read_profile(text: str) -> 'LatencyProfile':
    """Return the latency profile of ``--profile``.

    Raises:
        CommandError: there is none of this name; the message lists them.
    """
    from rtrack_ros.evaluation.streaming.latency import parse_profile

    try:
        return parse_profile(text)
    except ValueError as error:
        raise CommandError(f'--profile: {error}') from error


def read_methods(chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Return the methods that ``--methods`` names.

    Raises:
        CommandError: there is none of this name; the message lists them.
    """
    from rtrack_ros.evaluation.streaming.trials import METHODS

    if chosen == ('all',):
        return tuple(METHODS)
    unknown = [name for name in chosen if name not in METHODS]
    if unknown or not chosen:
        raise CommandError(f"--methods: there is no method '{', '.join(unknown)}'; choose from "
                           f'{", ".join(METHODS)}, or all')
    return chosen
