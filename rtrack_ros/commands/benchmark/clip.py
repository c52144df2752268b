"""``rtrack benchmark clip``: how long real objects stay followed between answers."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, add_server, positive
from rtrack_ros.commands.detecting import add_detector, detector_config

if TYPE_CHECKING:
    from rtrack_ros.benchmarks.clip import NumberedPairs
    from rtrack_ros.commands.results import Results
    from rtrack_ros.data.mot import MotFrames
    from rtrack_ros.data.reading import RecordedPairs

_ASK_INTERVAL_S: Final = 0.3


def add_parser(subjects: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the subject to the parser of ``rtrack benchmark``."""
    parser = subjects.add_parser(
        'clip', help='what stays followed between answers on a real clip with key-frame boxes',
        description='Track a real clip with boxes on key frames. The true boxes of a key frame '
                    'serve as the answer when a new object appears, and else once per interval. '
                    'On the key frames between, count the boxes that are still followed at IoU '
                    '0.5: with both sensors, with RGB alone and with thermal alone.')
    add(parser, '--rgb', required=True)
    add(parser, '--thermal', required=True,
        help='the thermal video or folder of images, registered to RGB frame by frame')
    add(parser, '--truth', required=True,
        help='true boxes of the key frames as MOTChallenge rows, frames from 1')
    parser.add_argument('--interval', type=positive, default=1.0, metavar='SECONDS',
                        help='time between answers (default: %(default)g)')
    parser.add_argument('--ask', default=None, metavar='SENTENCE',
                        help='also ask the model about every key frame, with a sentence that '
                             'means every object with a box')
    parser.add_argument('--ask-absent', default=None, metavar='SENTENCE',
                        help='the same with a sentence that means no object of the clip')
    add_detector(parser)
    add(parser, '--params', help='parameter file of the node: with --detector the clip is asked '
                                 'about and tracked as the node does it')
    add(parser, '--engine', '--model', '--refine', '--fps', '--json')
    add_server(parser)
    parser.set_defaults(measure=run)


def run(args: argparse.Namespace) -> int:
    """Track the clip in every view, print and write; returns the exit status."""
    from rtrack_ros.benchmarks.clip import clip_table, follow_clip
    from rtrack_ros.commands.results import Results
    from rtrack_ros.data.mot import read_mot
    from rtrack_ros.data.videos import open_pairs
    from rtrack_ros.evaluation.sensors import VIEWS

    truth, pairs = read_mot(args.truth), open_pairs(args.rgb, args.thermal, args.fps)
    if not truth:
        raise CommandError(f'{args.truth} holds no box; give the key frames of this clip')
    results = Results(args.json)
    views = {name: follow_clip(_seen(pairs, name), truth, args.interval).as_dict()
             for name in VIEWS}
    results.show(clip_table(views, args.rgb.name), pairs.tally.sentence, *pairs.tally.notes)
    answers = _ask(args, pairs, truth, results) if args.ask or args.ask_absent else {}
    tracked = {} if args.detector is None else _track(args, pairs, truth, results)
    results.json({'clip': args.rgb.name, 'interval_s': args.interval, 'views': views,
                  'answers': answers, 'tracked': tracked})
    return 0


def _seen(pairs: 'RecordedPairs', name: str) -> 'NumberedPairs':
    """Yield the pairs as a view shows them, with the number of the RGB image.

    Rows of truth count images by their numbers, also behind one that is missing.
    """
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.evaluation.sensors import view

    return ((received.number, view(received.pair, name))
            for received in progress(pairs.received(), name, len(pairs) or None)
            if received.number)


def _ask(args: argparse.Namespace, pairs: 'RecordedPairs', truth: 'MotFrames', results: 'Results'
         ) -> dict[str, dict[str, Any]]:
    """Ask the model about the key frames in every view; print and return the scores."""
    from rtrack_ros.benchmarks.clip import answers_line, ask_clip
    from rtrack_ros.commands.model import opened_grounder
    from rtrack_ros.evaluation.sensors import VIEWS
    from rtrack_ros.language.queries import QueryBook

    figures: dict[str, dict[str, Any]] = {}
    with opened_grounder(args) as grounder:
        for text, present in ((args.ask, True), (args.ask_absent, False)):
            query = QueryBook().set(text or '')
            if query is None:
                continue
            for name in VIEWS:
                score = ask_clip(_seen(pairs, name), truth, grounder, query, present)
                figures.setdefault(text, {})[name] = score.as_dict()
                results.show(answers_line(text, name, score, present))
    return figures


def _track(args: argparse.Namespace, pairs: 'RecordedPairs', truth: 'MotFrames', results: 'Results'
           ) -> dict[str, dict[str, Any]]:
    """Follow the sentences with both sensors and the detector; print and return the scores."""
    from contextlib import closing
    from dataclasses import replace

    from rtrack_ros.benchmarks.clip import answers_line, track_clip
    from rtrack_ros.commands.model import opened_engine
    from rtrack_ros.commands.recording import parameter_values
    from rtrack_ros.detectors.registry import load_detector
    from rtrack_ros.parameters.values import pipeline_config
    from rtrack_ros.pipeline import PipelineConfig, build_pipeline

    values = parameter_values(args.params)
    config = replace(PipelineConfig(refine=None if args.refine == 'auto' else args.refine)
                     if values is None else pipeline_config(values),
                     detector=detector_config(args.detector, values))
    figures: dict[str, dict[str, Any]] = {}
    for text, present in ((args.ask or 'the people', True), (args.ask_absent, False)):
        if not text:
            continue
        with opened_engine(args) as engine, closing(build_pipeline(
                engine, config, live=False, ask_interval_s=_ASK_INTERVAL_S,
                publish_first=values is not None,
                detector=load_detector(config.detector))) as pipeline:
            pipeline.set_query(text)
            score = track_clip(_seen(pairs, 'both'), truth, pipeline, present)
        figures[text] = score.as_dict()
        results.show(answers_line(text, 'tracked with a detector', score, present))
    return figures
