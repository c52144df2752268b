"""How long a real object stays followed between answers, on a clip with boxes on key frames.

The boxes of a key frame are given as the answer when somebody is seen for the first time and once
a second besides. On the key frames between, a box counts as followed when the track that took it
over at the last answer still covers it at IoU 0.5: what is judged is motion between answers, not
language, and an identity that changed hands is a loss. Apart from that, ``ask_clip`` judges the
answers of a model about the key frames, and ``track_clip`` what is published on them by a model
with a detector.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.boxes import iou
from rtrack_ros.data.mot import MotFrames, MotRow
from rtrack_ros.evaluation.metrics.grounding_f1 import GroundedFrame, GroundingScore, score_frame
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.queries import Query
from rtrack_ros.pipeline import TrackingPipeline
from rtrack_ros.scheduling.putting import GroundsQueries
from rtrack_ros.tracking.config import TrackerConfig
from rtrack_ros.tracking.track import Track, published
from rtrack_ros.tracking.tracker import Tracker

NumberedPairs = Iterator[tuple[int, FramePair]]
"""Pairs with the number of their RGB image, from 1; a damaged or missing one counts too."""
IOU_FOLLOWED = 0.5
_QUERY = Query('default', 'everyone with a box', 1)


@dataclass
class Followed:
    """Counts of boxes on key frames without an answer, of objects answered before.

    Attributes:
        boxes: All of them.
        kept: Those that their own track covers at IoU 0.5.
        covered: Those that any track covers at IoU 0.5.
        answers: Key frames given as answers.
        overlaps: IoU of every box with its own track, 0 where that is gone.
    """

    boxes: int = 0
    kept: int = 0
    covered: int = 0
    answers: int = 0
    overlaps: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, float | int]:
        """Return plain values for JSON."""
        return {'answers': self.answers, 'boxes': self.boxes,
                'followed': round(self.kept / max(self.boxes, 1), 4),
                'covered': round(self.covered / max(self.boxes, 1), 4),
                'mean_iou': round(float(np.mean(self.overlaps)), 4) if self.overlaps else 0.0}


def follow_clip(pairs: NumberedPairs, truth: MotFrames, interval_s: float = 1.0,
                config: TrackerConfig | None = None) -> Followed:
    """Track a clip and count what stays followed.

    Args:
        pairs: Number and pair of every frame of the clip, as the tracker is to see it.
        truth: Boxes of the key frames, frames from 1.
        interval_s: Least time between answers, unless somebody new is seen.
        config: Tracker settings.
    """
    tracker, counts = Tracker(config), Followed()
    owners: dict[int, int] = {}
    answered_ns: int | None = None
    for number, pair in pairs:
        tracks = published(tracker.step(pair, (_QUERY,)))
        rows = truth.get(number)
        if not rows:
            continue
        new = any(row.id not in owners for row in rows)
        if new or answered_ns is None or pair.stamp_ns - answered_ns >= interval_s * 1e9:
            answered_ns = pair.stamp_ns
            tracker.apply(Answer(pair.stamp_ns, _QUERY.id, _QUERY.epoch, tuple(
                Grounding(row.box, 'person') for row in rows)))
            counts.answers += 1
            owners.update(_owners(rows, published(tracker.tracks())))
        else:
            _count(rows, tracks, owners, counts)
    return counts


def ask_clip(pairs: NumberedPairs, truth: MotFrames, asks: GroundsQueries, query: Query,
             present: bool) -> GroundingScore:
    """Ask the model about every key frame and count its boxes at IoU 0.5.

    Args:
        pairs: Number and pair of every frame of the clip, as the model is to see it.
        truth: Boxes of the key frames, frames from 1.
        asks: Answers a query about a pair.
        query: Means everyone with a box, or nobody.
        present: Whether it means everyone.
    """
    total = GroundingScore()
    for number, pair in pairs:
        rows = truth.get(number)
        if not rows:
            continue
        try:
            said = tuple(grounding.box for grounding in asks.ground(pair, query).groundings)
        except AnswerError:
            said = None
        meant = tuple(row.box for row in rows) if present else ()
        total += score_frame(GroundedFrame(meant, said))
    return total


def track_clip(pairs: NumberedPairs, truth: MotFrames, pipeline: TrackingPipeline,
               present: bool) -> GroundingScore:
    """Track a clip and count the published boxes of its key frames at IoU 0.5.

    Args:
        pairs: Number and pair of every frame of the clip, as the tracker is to see it.
        truth: Boxes of the key frames, frames from 1.
        pipeline: Follows a sentence that means everyone with a box, or nobody.
        present: Whether it means everyone.
    """
    total = GroundingScore()
    for number, pair in pairs:
        tracks = published(pipeline.push(pair))
        if rows := truth.get(number):
            meant = tuple(row.box for row in rows) if present else ()
            total += score_frame(GroundedFrame(meant, tuple(track.box for track in tracks)))
    return total


def _owners(rows: list[MotRow], tracks: list[Track]) -> dict[int, int]:
    """Return which track covers each true object best after its answer, -1 for none."""
    overlap = iou([row.box for row in rows], [track.box for track in tracks])
    return {row.id: tracks[int(np.argmax(shared))].id
            if shared.size and shared.max() >= IOU_FOLLOWED else -1
            for row, shared in zip(rows, overlap, strict=True)}


def _count(rows: list[MotRow], tracks: list[Track], owners: dict[int, int],
           counts: Followed) -> None:
    overlap = iou([row.box for row in rows], [track.box for track in tracks])
    for row, shared in zip(rows, overlap, strict=True):
        own = [float(value) for track, value in zip(tracks, shared, strict=True)
               if track.id == owners[row.id]]
        counts.boxes += 1
        counts.overlaps.append(own[0] if own else 0.0)
        counts.kept += bool(own) and own[0] >= IOU_FOLLOWED
        counts.covered += bool(shared.size) and float(shared.max()) >= IOU_FOLLOWED


def clip_table(views: Mapping[str, Mapping[str, float | int]], clip: str) -> Table:
    """Return one row for each view.

    Args:
        views: ``Followed.as_dict`` by the name of a view.
        clip: Name of the clip.
    """
    first = next(iter(views.values()))
    table = Table(title=f'{clip}: {first["answers"]} answers, {first["boxes"]} boxes on '
                        'key frames between', title_justify='left', header_style='bold',
                  box=SIMPLE_HEAD, pad_edge=False)
    for name in ('', 'followed at IoU 0.5', 'covered by any track', 'mean IoU'):
        table.add_column(name, justify='right' if name else 'left')
    for name, values in views.items():
        table.add_row(name, f"{values['followed']:.3f}", f"{values['covered']:.3f}",
                      f"{values['mean_iou']:.3f}")
    return table


def answers_line(text: str, view: str, score: GroundingScore, present: bool) -> str:
    """Return the boxes of :func:`ask_clip` or :func:`track_clip` for a sentence in words."""
    found = f'recall {score.recall:.3f}, ' if present else ''
    return (f'"{text}", {view}: {found}{score.spurious / score.frames:.2f} false boxes a frame, '
            f'{score.frames} frames')
