"""Tracks of a whole set of sentences, with both cameras or with one of them silent."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rtrack_ros.boxes import has_area
from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.mot import MotRow, write_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.evaluation.sensors import view
from rtrack_ros.foreign_text import plain_name
from rtrack_ros.pipeline import TrackingPipeline
from rtrack_ros.scheduling.putting import GroundsQueries
from rtrack_ros.tracking.track import published

SENSORS = {'both': 'both', 'rgb': 'rgb only', 'thermal': 'thermal only'}
"""Names of the runs, and what the cameras show in them."""
ASK_INTERVAL_S: Final = 0.3


def track_set(sequences: Iterable[AnnotatedSequence], grounder: GroundsQueries, sensors: str,
              folder: Path | str, ask_interval_s: float = ASK_INTERVAL_S) -> None:
    """Write ``<sequence name>.txt`` for every sequence, those that are there already left out.

    All is done here, one after another; for several processes or machines see ``spread``.

    Args:
        sequences: With a sentence each.
        grounder: The model.
        sensors: One of ``SENSORS``.
        folder: Where the files go.
        ask_interval_s: Time of the recording between two questions to the model.

    Raises:
        DataError: a sequence has no sentence or an image cannot be read.
    """
    for sequence in sequences:
        path = tracks_file(folder, sequence)
        if not path.is_file():
            write_mot(path, track_sequence(sequence, grounder, sensors, ask_interval_s))


def tracks_file(folder: Path | str, sequence: AnnotatedSequence) -> Path:
    """Return the file of the tracks of a sequence; it is whole or not there."""
    return Path(folder) / f'{plain_name(sequence.name)}.txt'


def track_sequence(sequence: AnnotatedSequence, grounder: GroundsQueries, sensors: str,
                   ask_interval_s: float = ASK_INTERVAL_S) -> list[MotRow]:
    """Return the tracks of one (video, sentence) pair; see ``track_set``.

    Raises:
        DataError: it has no sentence or an image cannot be read.
    """
    if not sequence.sentences:
        raise DataError(f'{sequence.dataset} {sequence.name} has no sentence to follow; take a '
                        'set with descriptions')
    pipeline = TrackingPipeline(grounder, synchronous=True, ask_interval_s=ask_interval_s)
    try:
        pipeline.set_query(sequence.sentences[0])
        return [MotRow(number, track.id, track.box, track.score)
                for number, pair in enumerate(sequence.pairs(), start=1)
                for track in published(pipeline.push(view(pair, SENSORS[sensors])))
                if has_area(track.box)]
    finally:
        pipeline.close()

