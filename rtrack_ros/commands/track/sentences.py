"""Several sentences about one recording: their queries, and a file of rows for each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rtrack_ros.commands import CommandError

if TYPE_CHECKING:
    from rtrack_ros.data.mot import MotRow
    from rtrack_ros.pipeline import TrackingPipeline
    from rtrack_ros.tracking.track import Track

_ONE = 'default'


def follow_sentences(pipeline: 'TrackingPipeline', sentences: Sequence[str]) -> None:
    """Have the pipeline follow sentences, each under an id of its own.

    Raises:
        CommandError: a sentence is empty, too long, or one too many.
    """
    from rtrack_ros.language.queries import QueryError

    for place, sentence in enumerate(sentences):
        try:
            empty = pipeline.set_query(sentence, _id(place)) is None
        except QueryError as error:
            raise CommandError(f'--query: {error}') from error
        if empty:
            raise CommandError('--query is empty; say what to follow, e.g. "the people"')


def own_outputs(out: Path, sentences: Sequence[str]) -> list[Path]:
    """Return the files of single sentences, beside ``out``; none where there is one sentence."""
    if len(sentences) < 2:
        return []
    return [out.with_name(f'{out.stem}_{place}{out.suffix}')
            for place in range(1, len(sentences) + 1)]


def all_rows(number: int, tracks: 'Sequence[Track]') -> 'list[MotRow]':
    """Return one row for every published object, with the score of its surest sentence."""
    return [row for track in tracks for row in _row(number, track, track.score)]


def rows_of(number: int, tracks: 'Sequence[Track]', place: int) -> 'list[MotRow]':
    """Return the rows of the objects that fulfil one sentence, counted from 0."""
    return [row for track in tracks for belief in track.meanings
            if belief.query_id == _id(place) for row in _row(number, track, belief.score)]


def _row(number: int, track: 'Track', score: float) -> 'list[MotRow]':
    from rtrack_ros.boxes import has_area
    from rtrack_ros.data.mot import MotRow

    return [MotRow(number, track.id, track.box, score)] if has_area(track.box) else []


def _id(place: int) -> str:
    return _ONE if place == 0 else str(place + 1)
