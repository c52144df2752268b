"""``rtrack track``: follow a sentence, or one target from a box, through recorded frame pairs."""

import argparse
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import add, add_server

if TYPE_CHECKING:
    from rtrack_ros.data.mot import MotRow
    from rtrack_ros.data.pairs import PairSource
    from rtrack_ros.frames import FramePair
    from rtrack_ros.pipeline import TrackingPipeline
    from rtrack_ros.pipeline_stats import PipelineStats
    from rtrack_ros.tracking.track import Track


def add_parser(subparsers: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command to the ``rtrack`` parser."""
    parser = subparsers.add_parser(
        'track', help='follow a sentence or a box through videos, image folders or a bag',
        description='Follow what a sentence names, or the one target that a box shows on the '
                    'first frame, through recorded frame pairs. Boxes are written as '
                    'MOTChallenge rows, frames from 1. Every frame is tracked. The model is '
                    'asked at intervals of the recording, so that every machine gives the same '
                    'result. With --realtime frames come at their own rate and the model answers '
                    'as fast as it can, as on a robot.')
    add(parser, '--rgb', required=True)
    add(parser, '--thermal')
    what = parser.add_mutually_exclusive_group(required=True)
    add(what, '--query')
    what.add_argument('--box', type=float, nargs=4, metavar=('X1', 'Y1', 'X2', 'Y2'),
                      help='the target on the first frame, in pixels of the RGB image; the model '
                           'finds it again by its appearance')
    add(parser, '--out', required=True, metavar='FILE', help='file for the tracks')
    parser.add_argument('--overlay', type=Path, default=None, metavar='MP4',
                        help='write a video of both images with boxes and identities')
    add(parser, '--engine', '--model')
    parser.add_argument('--ask-interval', type=float, default=0.3, metavar='SECONDS',
                        help='time of the recording between two questions to the model; 0 asks '
                             'about every frame (default: %(default)g)')
    add(parser, '--refine', help='whether the model looks a second time, from near, at every box '
                                 'of its answer; auto: where rtrack.json of the model says that '
                                 'this is better, and never with --realtime '
                                 '(default: %(default)s)')
    parser.add_argument('--realtime', action='store_true',
                        help='give frames at the rate of their stamps')
    add(parser, '--fps')
    add_server(parser)


def run(args: argparse.Namespace) -> int:
    """Track and write; returns the exit status."""
    from rtrack_ros.commands.model import opened_engine, warn_if_it_fails
    from rtrack_ros.commands.results import Results
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.data.mot import write_mot
    from rtrack_ros.data.videos import open_pairs
    from rtrack_ros.pipeline import PipelineConfig, build_pipeline

    pairs = open_pairs(args.rgb, args.thermal, args.fps)
    config = PipelineConfig(refine=None if args.refine == 'auto' else args.refine)
    with ExitStack() as stack:
        engine = stack.enter_context(opened_engine(args))
        warn_if_it_fails(engine)
        pipeline = stack.enter_context(closing(build_pipeline(
            engine, config, args.realtime, max(args.ask_interval, 0.0))))
        if not args.box and pipeline.set_query(args.query) is None:
            raise CommandError('--query is empty; say what to follow, e.g. "the people"')
        paced = _paced(pairs) if args.realtime else pairs
        started = time.perf_counter()
        frames = list(_track(progress(paced, 'tracking', len(pairs) or None), pairs, pipeline,
                             args))
        seconds, stats = time.perf_counter() - started, pipeline.stats()
    write_mot(args.out, (row for rows in frames for row in rows))
    Results().show(_summary(frames, seconds, stats, args))
    return 0


def _track(source: 'Iterable[FramePair]', pairs: 'PairSource', pipeline: 'TrackingPipeline',
           args: argparse.Namespace) -> 'Iterator[list[MotRow]]':
    """Yield the boxes of every frame, and draw them where asked to."""
    from rtrack_ros.data.mot import MotRow
    from rtrack_ros.evaluation.report.overlay import OverlayWriter
    from rtrack_ros.tracking.track import TrackState

    with ExitStack() as stack:
        video = None
        if args.overlay is not None:
            video = stack.enter_context(OverlayWriter(args.overlay, pairs.fps))
        first_ns: int | None = None
        for number, pair in enumerate(source, start=1):
            first_ns = pair.stamp_ns if first_ns is None else first_ns
            tracks = pipeline.push(pair)
            if args.box and number == 1:
                tracks = [_initialize(pipeline, args)]
            rows = [MotRow(number, track.id, track.box, track.score) for track in tracks
                    if track.state is TrackState.CONFIRMED and _has_area(track.box)]
            if video is not None:
                video.write(pair, rows, args.query or 'what the box shows',
                            time_s=(pair.stamp_ns - first_ns) * 1e-9)
            yield rows


def _initialize(pipeline: 'TrackingPipeline', args: argparse.Namespace) -> 'Track':
    from rtrack_ros.pipeline import RequestError

    try:
        return pipeline.initialize(tuple(args.box))
    except RequestError as error:
        raise CommandError(f'--box: {error}') from error


def _has_area(box: tuple[float, float, float, float]) -> bool:
    return box[2] - box[0] >= 0.01 and box[3] - box[1] >= 0.01


def _paced(pairs: 'PairSource') -> 'Iterator[FramePair]':
    """Yield the pairs when they are due by their stamps; reading ahead is not needed for files."""
    start: tuple[float, int] | None = None
    for pair in pairs:
        start = (time.monotonic(), pair.stamp_ns) if start is None else start
        wait = start[0] + (pair.stamp_ns - start[1]) * 1e-9 - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield pair


def _summary(frames: 'list[list[MotRow]]', seconds: float, stats: 'PipelineStats',
             args: argparse.Namespace) -> str:
    identities = {row.id for rows in frames for row in rows}
    rate = len(frames) / max(seconds, 1e-9)
    lines = [f'{len(frames)} frames in {seconds:.1f} s ({rate:.1f} per second), '
             f'{stats.answers} answers applied, {len(identities)} identities',
             f'wrote {args.out}']
    if args.overlay is not None:
        lines.append(f'wrote {args.overlay}')
    failed = stats.answers_invalid + stats.engine_errors
    if failed:
        lines.append(f'{failed} questions failed; the last one: {stats.last_error}')
    return '\n'.join(lines)
