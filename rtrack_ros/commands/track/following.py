"""The way through a recording: every pair is tracked, and its boxes are written at once."""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.track.sentences import all_rows, own_outputs, rows_of

if TYPE_CHECKING:
    from rtrack_ros.commands.track.bag_detections import BagDetections
    from rtrack_ros.commands.track.detections import GivenDetections
    from rtrack_ros.data.reading import RecordedPairs
    from rtrack_ros.intake.receiving import ReceivedPair
    from rtrack_ros.pipeline import TrackingPipeline
    from rtrack_ros.tracking.track import Track


@dataclass
class Followed:
    """What came of a recording.

    Attributes:
        frames: Pairs that were tracked.
        identities: Those that were written.
        interrupted: Whether the user ended it.
        seconds: How long it took.
        stats: Of the pipeline.
        own_outputs: Files of the single sentences, none for one sentence.
    """

    frames: int = 0
    identities: set[int] = field(default_factory=set)
    interrupted: bool = False
    seconds: float = 0.0
    stats: Any = None
    own_outputs: list[Path] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """What was done, in a line."""
        rate = self.frames / max(self.seconds, 1e-9)
        return (f'{self.frames} frames in {self.seconds:.1f} s ({rate:.1f} per second), '
                f'{self.stats.answers} answers applied, {len(self.identities)} identities')


def follow(pairs: 'RecordedPairs', pipeline: 'TrackingPipeline', args: argparse.Namespace,
           sentences: list[str], finish: Callable[[], None],
           seen: 'GivenDetections | BagDetections | None' = None) -> Followed:
    """Track all pairs; what is written is finished also after Ctrl-C.

    Args:
        pairs: The recording.
        pipeline: Tracks.
        args: Of the command.
        sentences: What is followed.
        finish: Called when only the files are to be finished: no interruption from then on.
        seen: What a detector saw in the recording.

    Raises:
        CommandError: the box does not show a target on the first frame.
        OutputError: the disk is full.
    """
    from rtrack_ros.commands.terminal import progress
    from rtrack_ros.data.mot import MotWriter
    from rtrack_ros.evaluation.report.overlay import OverlayWriter

    followed = Followed()
    source = _paced(pairs) if args.realtime else pairs.received()
    with ExitStack() as stack:
        rows_out = stack.enter_context(MotWriter(args.out))
        followed.own_outputs = own_outputs(args.out, sentences)
        own = [stack.enter_context(MotWriter(path)) for path in followed.own_outputs]
        video = None if args.overlay is None else stack.enter_context(
            OverlayWriter(args.overlay, pairs.fps, in_time=True))
        first_ns: int | None = None
        try:
            for received in progress(source, 'tracking', len(pairs) or None):
                pair = received.pair
                first_ns = pair.stamp_ns if first_ns is None else first_ns
                tracks = _tracks(received, pipeline, args, followed.frames == 0, seen)
                rows = all_rows(received.number, tracks)
                rows_out.write(rows)
                for place, writer in enumerate(own):
                    writer.write(rows_of(received.number, tracks, place))
                followed.frames += received.number > 0
                followed.identities |= {row.id for row in rows}
                if video is not None:
                    video.write(pair, rows, '; '.join(sentences) or 'what the box shows',
                                time_s=(pair.stamp_ns - first_ns) * 1e-9)
            finish()
        except KeyboardInterrupt:
            followed.interrupted = True
    return followed


def _tracks(received: 'ReceivedPair', pipeline: 'TrackingPipeline', args: argparse.Namespace,
            first: bool, seen: 'GivenDetections | BagDetections | None') -> 'list[Track]':
    """Track one pair; returns what is published of it, nothing between RGB images."""
    from rtrack_ros.tracking.track import published

    if received.after_reset:
        pipeline.reset()
    if seen is not None:
        seen.offer(pipeline, received)
    tracks = pipeline.push(received.pair)
    if seen is not None and received.number:
        handed = seen.hand_over(pipeline, received)
        tracks = tracks if handed is None else handed
    if args.box and first:
        tracks = [_initialize(pipeline, args)]
    return published(tracks) if received.number else []


def _initialize(pipeline: 'TrackingPipeline', args: argparse.Namespace) -> 'Track':
    from rtrack_ros.pipeline import RequestError

    try:
        return pipeline.initialize(tuple(args.box))
    except RequestError as error:
        raise CommandError(f'--box: {error}') from error


def _paced(pairs: 'RecordedPairs') -> 'Iterator[ReceivedPair]':
    """Yield the pairs when they are due by their stamps; reading ahead is not needed for files."""
    start: tuple[float, int] | None = None
    for received in pairs.received():
        stamp_ns = received.pair.stamp_ns
        start = (time.monotonic(), stamp_ns) if start is None else start
        wait = start[0] + (stamp_ns - start[1]) * 1e-9 - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield received
