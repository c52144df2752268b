"""HOTA, CLEAR and identity scores of referring tracking, computed by TrackEval in memory.

Protocol: one merged class, no preprocessing, 19 localisation thresholds 0.05 to 0.95 and their
mean, counts pooled over all (video, expression) pairs. Pooling sums true and false positives over
pairs, so a pair whose expression means nobody counts with its false boxes; a mean of the HOTA of
single pairs would be another figure. HOTA: Luiten et al., IJCV 2020. CLEAR: Bernardin and
Stiefelhagen, 2008. IDF1: Ristani et al., 2016.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtrack_ros import boxes
from rtrack_ros.data.mot import MotFrames, MotRow
from rtrack_ros.evaluation.sequences import EvaluationSequence

Counts = dict[str, dict[str, Any]]
"""What a sequence contributes, by metric and field; plain numbers and lists."""


class MissingTrackEval(ImportError):
    """TrackEval is not installed; the message says how to get it."""


@dataclass(frozen=True)
class Scores:
    """Scores in percent; counts are whole boxes over all frames of all pooled sequences.

    Attributes:
        hota: Geometric mean of detection and association, averaged over thresholds.
        deta: Detection accuracy.
        assa: Association accuracy.
        detre: Detection recall.
        detpr: Detection precision.
        assre: Association recall.
        asspr: Association precision.
        loca: Mean IoU of matched boxes.
        mota: CLEAR accuracy at IoU 0.5; negative when false boxes outnumber true ones.
        idf1: F1 of correctly identified boxes at IoU 0.5.
        idsw: Identity switches at IoU 0.5.
        precision: Share of reported boxes that match truth at IoU 0.5.
        recall: Share of true boxes that are matched at IoU 0.5.
        truth_boxes: Number of true boxes.
        track_boxes: Number of reported boxes.
        hota_alpha: HOTA at each of the 19 thresholds.
    """

    hota: float
    deta: float
    assa: float
    detre: float
    detpr: float
    assre: float
    asspr: float
    loca: float
    mota: float
    idf1: float
    idsw: int
    precision: float
    recall: float
    truth_boxes: int
    track_boxes: int
    hota_alpha: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, percentages rounded to two decimals."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values['hota_alpha'] = [round(value, 2) for value in self.hota_alpha]
        return {name: round(value, 2) if isinstance(value, float) else value
                for name, value in values.items()}


def evaluate_tracks(truth: MotFrames, tracks: MotFrames, frames: int) -> Scores:
    """Return the scores of one sequence.

    Args:
        truth: Rows by frame, from 1.
        tracks: Rows by frame, from 1.
        frames: Number of frames of the sequence.

    Raises:
        MissingTrackEval: TrackEval is not installed.
        ValueError: a row lies outside the frames.
    """
    return evaluate_sequences({'sequence': EvaluationSequence(truth, tracks, frames)})


def evaluate_sequences(sequences: Mapping[str, EvaluationSequence]) -> Scores:
    """Return the scores pooled over sequences.

    Raises:
        MissingTrackEval: TrackEval is not installed.
        ValueError: there is no sequence.
    """
    return pool_counts([count_sequence(sequence) for sequence in sequences.values()])


def count_sequence(sequence: EvaluationSequence) -> Counts:
    """Return what one sequence contributes to pooled scores, fit for JSON.

    Raises:
        MissingTrackEval: TrackEval is not installed.
    """
    data = _prepare(sequence)
    return {metric.get_name(): {name: np.asarray(value).tolist()
                                for name, value in metric.eval_sequence(data).items()}
            for metric in _metrics()}


def pool_counts(counts: Sequence[Counts]) -> Scores:
    """Return the scores pooled over the counts of sequences.

    Raises:
        MissingTrackEval: TrackEval is not installed.
        ValueError: there is no sequence.
    """
    if not counts:
        raise ValueError('there is no sequence to score; give at least one')
    pooled = {}
    for metric in _metrics():
        name = metric.get_name()
        pooled[name] = metric.combine_sequences({
            str(number): {field: np.asarray(value) for field, value in count[name].items()}
            for number, count in enumerate(counts)})
    return _scores(pooled)


def require_trackeval() -> None:
    """Make sure that scores can be computed, before work whose end they are.

    Raises:
        MissingTrackEval: TrackEval is not installed.
    """
    _metrics()


def _metrics() -> list[Any]:
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError as error:
        raise MissingTrackEval(
            'scores need TrackEval; install it in the folder of rtrack_ros: '
            "pip install '.[eval]'. It needs NumPy 2.3.2 or newer; where an older NumPy must "
            f'stay, use an environment of its own ({error})') from error
    quiet = {'THRESHOLD': 0.5, 'PRINT_CONFIG': False}
    return [HOTA(), CLEAR(quiet), Identity(quiet)]


def _prepare(sequence: EvaluationSequence) -> dict[str, Any]:
    """Return TrackEval's per-sequence input, identities renumbered from 0."""
    numbers = range(1, sequence.frames + 1)
    truth = [sequence.truth_rows(frame) for frame in numbers]
    tracks = [sequence.track_rows(frame) for frame in numbers]
    truth_ids, truth_count = _renumber(truth)
    track_ids, track_count = _renumber(tracks)
    return {
        'gt_ids': truth_ids, 'tracker_ids': track_ids,
        'similarity_scores': [boxes.iou(_boxes(a), _boxes(b))
                              for a, b in zip(truth, tracks, strict=True)],
        'num_gt_ids': truth_count, 'num_tracker_ids': track_count,
        'num_gt_dets': sum(map(len, truth)), 'num_tracker_dets': sum(map(len, tracks)),
        'num_timesteps': sequence.frames,
    }


def _boxes(rows: Sequence[MotRow]) -> boxes.BoxArray:
    return boxes.as_boxes([row.box for row in rows])


def _renumber(frames: Sequence[Sequence[MotRow]]) -> tuple[list[NDArray[np.int64]], int]:
    order: dict[int, int] = {}
    ids = [np.array([order.setdefault(row.id, len(order)) for row in rows], dtype=np.int64)
           for rows in frames]
    return ids, len(order)


def _scores(measured: Mapping[str, Mapping[str, Any]]) -> Scores:
    hota, clear, identity = measured['HOTA'], measured['CLEAR'], measured['Identity']

    def percent(name: str) -> float:
        return 100.0 * float(np.mean(hota[name]))

    return Scores(
        hota=percent('HOTA'), deta=percent('DetA'), assa=percent('AssA'),
        detre=percent('DetRe'), detpr=percent('DetPr'), assre=percent('AssRe'),
        asspr=percent('AssPr'), loca=percent('LocA'),
        mota=100.0 * float(clear['MOTA']), idf1=100.0 * float(identity['IDF1']),
        idsw=int(clear['IDSW']), precision=100.0 * float(clear['CLR_Pr']),
        recall=100.0 * float(clear['CLR_Re']),
        truth_boxes=int(clear['CLR_TP'] + clear['CLR_FN']),
        track_boxes=int(clear['CLR_TP'] + clear['CLR_FP']),
        hota_alpha=tuple(100.0 * float(value) for value in hota['HOTA']))
