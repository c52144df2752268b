"""Scores of a whole set of (video, expression) pairs, in the protocol of referring tracking.

A run is a folder with one file of MOTChallenge rows for each pair, named as the pair; an empty
file says "nobody", a missing one is an error. Counts are pooled over all pairs: a pair whose
expression means nobody counts with its false boxes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.mot import MotFrames, MotRow, read_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.metrics.hota import Counts, count_sequence, pool_counts
from rtrack_ros.evaluation.metrics.presence import Presence, measure_presence
from rtrack_ros.evaluation.run import Split
from rtrack_ros.evaluation.sequences import EvaluationSequence, by_frame
from rtrack_ros.foreign_text import plain_name


@dataclass(frozen=True)
class SetScores:
    """Scores of one run over a set.

    Attributes:
        name: Name of the run.
        overall: Pooled over all pairs.
        by_condition: Pooled over the pairs of each condition, where there are several.
        pairs: Number of (video, expression) pairs.
        empty_pairs: Those whose expression means nobody throughout.
        empty_pairs_alarmed: Of these, pairs with a reported box.
    """

    name: str
    overall: Split
    by_condition: tuple[Split, ...]
    pairs: int
    empty_pairs: int
    empty_pairs_alarmed: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**_figures(self.overall), 'pairs': self.pairs, 'empty_pairs': self.empty_pairs,
                'empty_pairs_alarmed': self.empty_pairs_alarmed,
                'by_condition': {split.name: _figures(split) for split in self.by_condition}}


def _figures(split: Split) -> dict[str, Any]:
    return {**split.scores.as_dict(), 'frames': split.frames,
            'presence': split.presence.as_dict()}


@dataclass(frozen=True)
class _Pair:
    """What one pair contributes."""

    condition: str
    counts: Counts
    presence: Presence
    frames: int


def score_set(name: str, sequences: Sequence[AnnotatedSequence], folder: Path | str) -> SetScores:
    """Return the scores of a run.

    Args:
        name: What to call it.
        sequences: The truth; frames that nobody labelled are left out.
        folder: ``<sequence name>.txt`` each; frames are numbered from 1 as in the sequence.

    Raises:
        DataError: there is no sequence, or a file is missing.
        MotError: a file is malformed.
        MissingTrackEval: TrackEval is not installed.
        ValueError: a file names frames the sequence does not have.
    """
    if not sequences:
        raise DataError('there is no (video, sentence) pair to score; check the list of pairs')
    scored = [evaluation_sequence(item, read_tracks(Path(folder), item)) for item in sequences]
    pairs = [_Pair(truth.condition or truth.dataset, count_sequence(item),
                   measure_presence([item]), item.frames)
             for truth, item in zip(sequences, scored, strict=True)]
    conditions = list(dict.fromkeys(pair.condition for pair in pairs))
    parts = tuple(_pool(name, [pair for pair in pairs if pair.condition == name])
                  for name in conditions)
    empty = [item for item in scored if not any(map(item.truth_rows, item.truth))]
    return SetScores(name, _pool('all', pairs), parts if len(parts) > 1 else (), len(pairs),
                     len(empty), sum(any(item.tracks.values()) for item in empty))


def read_tracks(folder: Path, sequence: AnnotatedSequence) -> MotFrames:
    """Return what a run reported for a pair.

    Raises:
        DataError: there is no file; nobody found is an empty one.
    """
    path = folder / f'{plain_name(sequence.name)}.txt'
    if not path.is_file():
        raise DataError(f'{path} is missing; every pair needs a file, an empty one where nobody '
                        'was found')
    return read_mot(path)


def evaluation_sequence(sequence: AnnotatedSequence, tracks: MotFrames) -> EvaluationSequence:
    """Return truth and tracks of the labelled frames, numbered anew without gaps.

    Raises:
        ValueError: the tracks name frames that the sequence does not have.
    """
    EvaluationSequence({}, tracks, len(sequence), sequence.name)  # refuses such frames
    labelled = [number for number, frame in enumerate(sequence.frames, start=1) if frame.labelled]
    place: Mapping[int, int] = {number: new for new, number in enumerate(labelled, start=1)}
    return EvaluationSequence(_renumbered(sequence.truth, place), _renumbered(tracks, place),
                              len(labelled), sequence.name)


def _renumbered(rows: MotFrames, place: Mapping[int, int]) -> MotFrames:
    return by_frame(MotRow(place[frame], row.id, row.box, row.score)
                    for frame, group in rows.items() if frame in place for row in group)


def _pool(name: str, pairs: Sequence[_Pair]) -> Split:
    return Split(name, pool_counts([pair.counts for pair in pairs]),
                 sum((pair.presence for pair in pairs), Presence()),
                 sum(pair.frames for pair in pairs))
