"""``rtrack track``: follow a sentence, or one target from a box, through recorded frame pairs."""

import argparse
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, add_losses, add_server, add_topics
from rtrack_ros.commands.detecting import add_detector
from rtrack_ros.commands.track import data_set, detections

if TYPE_CHECKING:
    from rtrack_ros.commands.track.bag_detections import BagDetections
    from rtrack_ros.commands.track.following import Followed
    from rtrack_ros.data.reading import RecordedPairs
    from rtrack_ros.pipeline import TrackingPipeline


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'track', help='follow a sentence or a box through videos, image folders or a bag',
        description='Follow what a sentence names, or the one target that a box shows on the '
                    'first frame, through recorded frame pairs. Boxes are written as '
                    'MOTChallenge rows, frames from 1, while they come: Ctrl-C finishes the '
                    'file. Every frame is tracked. The model is '
                    'asked at intervals of the recording, so that every machine gives the same '
                    'result. With --realtime frames come at their own rate and the model answers '
                    'as fast as it can, as on a robot. With --params everything is as the node '
                    'has it with this parameter file. At the end it says what was used and what '
                    'was left out.')
    parser.add_argument('recording', type=Path, nargs='?', metavar='RECORDING',
                        help='a video, a folder of images, or a bag; the same as --rgb')
    add(parser, '--rgb', '--thermal')
    add_topics(parser)
    add(parser, '--params')
    what = parser.add_mutually_exclusive_group()
    add(what, '--query', action='append',
        help='the sentence that says what to follow; may be repeated: --out then has every object '
             'once, and a file beside it for each sentence, FILE_1 and so on, has what that one '
             'means (default: query.initial of --params)')
    what.add_argument('--box', type=float, nargs=4, metavar=('X1', 'Y1', 'X2', 'Y2'),
                      help='the target on the first frame, in pixels of the RGB image; the model '
                           'finds it again by its appearance')
    add(parser, '--out', required=True, metavar='FILE',
        help='file for the tracks; with --set a folder')
    parser.add_argument('--overlay', type=Path, default=None, metavar='MP4',
                        help='write a video of both images with boxes and identities')
    add(parser, '--engine', '--model')
    parser.add_argument('--ask-interval', type=float, default=0.3, metavar='SECONDS',
                        help='time of the recording between two questions to the model; 0 asks '
                             'about every frame (default: %(default)g)')
    add(parser, '--refine', help='whether the model looks a second time, from near, at every box '
                                 'of its answer; auto: where rtrack.json of the model says that '
                                 'this is better, and never with --realtime; with --params '
                                 'ask.refine decides (default: %(default)s)')
    add_detector(parser)
    parser.add_argument('--realtime', action='store_true',
                        help='give frames at the rate of their stamps')
    add(parser, '--fps')
    detections.add_arguments(parser)
    add_losses(parser)
    data_set.add_arguments(parser)
    add_server(parser)


def run(args: argparse.Namespace) -> int:
    """Track and write; returns the exit status."""
    from rtrack_ros.commands.interruption import interrupted_by_sigterm
    from rtrack_ros.commands.recording import opened_pairs, parameter_values
    from rtrack_ros.commands.track.following import follow
    from rtrack_ros.commands.track.sentences import follow_sentences, own_outputs
    from rtrack_ros.output_files import check_outputs

    if args.set is not None or args.layout is not None:
        return data_set.run(args)
    _settle(args)
    values = parameter_values(args.params)
    sentences = args.query or ([] if values is None else [values['query.initial']])
    if not args.box and not (sentences and all(map(str.strip, sentences))):
        raise CommandError('--query is empty; say what to follow, e.g. "the people", or give '
                           '--box')
    outs, named = own_outputs(args.out, sentences), detections.source(args)
    check_outputs({'--out': args.out, '--overlay': args.overlay,
                   **{f'--out of {sentence!r}': path for sentence, path
                      in zip(sentences, outs, strict=False)}},
                  [args.rgb, args.thermal, args.params,
                   None if named is None else named[0]])
    pairs = opened_pairs(args, values)
    seen = detections.given(args, values)
    with ExitStack() as stack:
        finish = stack.enter_context(interrupted_by_sigterm())
        pipeline = _pipeline(args, values, stack)
        if not args.box:
            follow_sentences(pipeline, sentences)
        started = time.perf_counter()
        followed = follow(pairs, pipeline, args, sentences, finish, seen)
        followed.seconds = time.perf_counter() - started
        followed.stats = pipeline.stats()
    return _finish(args, pairs, followed, seen)


def _settle(args: argparse.Namespace) -> None:
    """Take the recording from wherever it was named."""
    if (args.recording is None) == (args.rgb is None):
        raise CommandError('name one recording: a video, a folder of images or a bag, as '
                           'RECORDING or as --rgb')
    args.rgb = args.rgb or args.recording


def _pipeline(args: argparse.Namespace, values: dict[str, Any] | None, stack: ExitStack
              ) -> 'TrackingPipeline':
    """Return the pipeline of the options, or the one that the node has with a parameter file."""
    from dataclasses import replace

    from rtrack_ros.commands.detecting import detector_config
    from rtrack_ros.commands.model import opened_engine, warn_if_it_fails
    from rtrack_ros.commands.recording import node_engine
    from rtrack_ros.detectors.registry import load_detector
    from rtrack_ros.parameters.values import pipeline_config
    from rtrack_ros.pipeline import PipelineConfig, build_pipeline

    if values is None:
        engine = stack.enter_context(opened_engine(args))
        warn_if_it_fails(engine)
        config = PipelineConfig(refine=None if args.refine == 'auto' else args.refine)
    else:
        engine = stack.enter_context(node_engine(args, values))
        config = pipeline_config(values)
    config = replace(config, detector=detector_config(args.detector, values),
                     feed=detections.feed_pixels(args, values))
    return stack.enter_context(closing(build_pipeline(
        engine, config, args.realtime, max(args.ask_interval, 0.0),
        publish_first=values is not None, detector=load_detector(config.detector))))


def _finish(args: argparse.Namespace, pairs: 'RecordedPairs', followed: 'Followed',
            seen: 'detections.GivenDetections | BagDetections | None') -> int:
    from rtrack_ros.commands.recording import say_losses
    from rtrack_ros.commands.results import Results

    results = Results()
    results.show(followed.summary)
    results.show(*([] if seen is None else [seen.summary]))
    status = say_losses(pairs.tally, results, args.allow_missing)
    for path in (args.out, *followed.own_outputs, args.overlay):
        if path is not None and path.exists():
            results.wrote(path)
    stats = followed.stats
    failed = stats.answers_invalid + stats.engine_errors
    if stats.detector_facts.get('detector_failures'):
        results.show(stats.detector_complaint or 'the detector failed now and then')
    if failed:
        results.show(f'{failed} questions failed; the last one: {stats.last_error}')
    if followed.interrupted:
        results.show(f'interrupted: the files hold the {followed.frames} frames until then')
        return 130
    return 1 if failed and not stats.answers else status
