"""What a node published, from a recording, beside the truth: joined by stamp, and as received.

By stamp, every image is scored against the array about it, whenever that came. Streaming, every
image is scored against the newest array that a subscriber had when the image was taken: late boxes
are wrong boxes where things move.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from rtrack_ros.data.mot import MotFrames, MotRow, read_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.recording import RecordedArray
from rtrack_ros.data.truth import SceneTruth
from rtrack_ros.evaluation.run import Run, RunFrame, RunQuery, StatusSample
from rtrack_ros.evaluation.sequences import EvaluationSequence, last_frame

SAME_CLOCK_NS: Final = 60_000_000_000
"""Arrays that come this soon after their stamps were received on the clock of the stamps."""


@dataclass(frozen=True)
class Instant:
    """One RGB image for which the truth is known.

    Attributes:
        stamp_ns: Its stamp as it was published.
        rows: What the sentence means in it.
        condition: Name of the weather, '' where it is not known.
        received_ns: When it was received, on the clock of the recording of the tracks; None
            where that was not recorded.
    """

    stamp_ns: int
    rows: tuple[MotRow, ...]
    condition: str = ''
    received_ns: int | None = None


@dataclass(frozen=True)
class JoinedTracks:
    """Truth and tracks of one sentence, image by image.

    Attributes:
        sentence: The sentence.
        instants: Images in the order of their stamps.
        arrays: The array about each, None where none came.
        streaming: The newest boxes at each, None where the clocks do not say.
        foreign: Arrays about images that the truth does not know.
    """

    sentence: str
    instants: tuple[Instant, ...]
    arrays: tuple[RecordedArray | None, ...]
    streaming: tuple[tuple[MotRow, ...], ...] | None
    foreign: int

    @property
    def answered(self) -> int:
        """Images about which an array came."""
        return sum(array is not None for array in self.arrays)

    @property
    def account(self) -> str:
        """What was used and left out, in a sentence."""
        parts = [f'arrays about {self.answered} of {len(self.instants)} images']
        if self.foreign:
            parts.append(f'{self.foreign} arrays about images that the truth does not know')
        return ', '.join(parts)

    @property
    def latencies_ms(self) -> list[float]:
        """From the stamp of an image to the arrival of its array, where one clock shows both."""
        late = [(array.logged_ns - array.stamp_ns) * 1e-6 for array in self.arrays
                if array is not None]
        return late if late and abs(float(np.median(late))) * 1e6 < SAME_CLOCK_NS else []

    def by_stamp(self) -> EvaluationSequence:
        """Return the truth beside the array about each image."""
        return self._sequence([_rows_of(array) for array in self.arrays])

    def as_received(self) -> EvaluationSequence | None:
        """Return the truth beside the newest array at each image, None where unknown."""
        return None if self.streaming is None else self._sequence(self.streaming)

    def run(self, title: str, statuses: Sequence[StatusSample] = ()) -> Run:
        """Return the run for a report."""
        begin_ns = self.instants[0].stamp_ns
        late = bool(self.latencies_ms)
        frames = tuple(RunFrame(
            (instant.stamp_ns - begin_ns) * 1e-9, 0, None if array is None else array.rows,
            instant.rows, instant.condition,
            (array.logged_ns - array.stamp_ns) * 1e-6 if late and array is not None else None)
            for instant, array in zip(self.instants, self.arrays, strict=True))
        return Run((RunQuery(self.sentence, 0.0),), frames, tuple(statuses), title,
                   {'scored': self.account})

    def _sequence(self, tracks: Iterable[Sequence[MotRow]]) -> EvaluationSequence:
        def numbered(frames: Iterable[Sequence[MotRow]]) -> MotFrames:
            return {number: [replace(row, frame=number) for row in rows]
                    for number, rows in enumerate(frames, start=1) if rows}

        return EvaluationSequence(numbered(instant.rows for instant in self.instants),
                                  numbered(tracks), len(self.instants), self.sentence)


def scene_instants(folder: Path, sentence: str, published: Mapping[int, int] | None,
                   received: Mapping[int, int]) -> list[Instant]:
    """Return the instants of a simulated scene, whose truth knows the stamps.

    Args:
        folder: The folder ``truth``, or its file ``truth.json``.
        sentence: What was asked for.
        published: Stamp published by the stamp in the recording; None where they are equal.
        received: Time of arrival by the stamp published, as far as it is known.

    Raises:
        DataError: the truth cannot be read, or has no such sentence.
    """
    truth = SceneTruth.load(folder.parent if folder.is_file() else folder)
    meant = truth.expression(sentence).ids
    instants = []
    for frame, ids in zip(truth.frames, meant, strict=True):
        stamp_ns = frame.stamp_ns if published is None else published.get(frame.stamp_ns)
        if stamp_ns is not None:
            rows = tuple(MotRow(1, item.id, item.box, visibility=item.visibility)
                         for item in frame.objects if item.id in ids)
            instants.append(Instant(stamp_ns, rows, frame.condition, received.get(stamp_ns)))
    if not instants:
        raise DataError(f'no image of the truth {folder} was played')
    return instants


def file_instants(path: Path, stamps_ns: Sequence[int], received: Mapping[int, int]
                  ) -> list[Instant]:
    """Return the instants of MOTChallenge rows: frame n is the n-th image.

    Raises:
        DataError: the truth reaches beyond the images.
        MotError: the truth cannot be read.
    """
    rows = read_mot(path)
    if last_frame(rows) > len(stamps_ns):
        raise DataError(f'{path} reaches to frame {last_frame(rows)}, but {len(stamps_ns)} images '
                        'are known; name the recording of the images with --rgb')
    return [Instant(stamp_ns, tuple(row for row in rows.get(number, ()) if row.score > 0),
                    received_ns=received.get(stamp_ns))
            for number, stamp_ns in enumerate(stamps_ns, start=1)]


def join(arrays: Sequence[RecordedArray], instants: Sequence[Instant], sentence: str
         ) -> JoinedTracks:
    """Join what was published with what is true, by the stamps of the images.

    Args:
        arrays: Of one sentence.
        instants: Of the same.
        sentence: The sentence.

    Raises:
        DataError: no array is about an image of the truth.
    """
    ordered = tuple(sorted(instants, key=lambda instant: instant.stamp_ns))
    about = {array.stamp_ns: array for array in arrays}
    joined = tuple(about.get(instant.stamp_ns) for instant in ordered)
    foreign = len(about) - sum(array is not None for array in joined)
    if arrays and not any(joined):
        raise DataError('no array has the stamp of an image of the truth; if the recording was '
                        'played with new stamps, give --stamp-map of bag_player')
    return JoinedTracks(sentence, ordered, joined, _streaming(arrays, ordered), foreign)


def _streaming(arrays: Sequence[RecordedArray], instants: Sequence[Instant]
               ) -> tuple[tuple[MotRow, ...], ...] | None:
    """Return the newest boxes at every instant, None where the clocks cannot be compared."""
    now = _clock(arrays, instants)
    if now is None:
        return None
    waiting = sorted(arrays, key=lambda array: array.logged_ns)
    newest: tuple[MotRow, ...] = ()
    found, position = [], 0
    for instant in instants:
        while position < len(waiting) and waiting[position].logged_ns <= now(instant):
            newest, position = waiting[position].rows, position + 1
        found.append(newest)
    return tuple(found)


def _clock(arrays: Sequence[RecordedArray], instants: Sequence[Instant]
           ) -> Callable[[Instant], int] | None:
    """Return what gives an instant on the clock on which arrays were received."""
    late = [array.logged_ns - array.stamp_ns for array in arrays]
    if late and abs(float(np.median(late))) < SAME_CLOCK_NS:
        return lambda instant: instant.stamp_ns
    if late and all(instant.received_ns is not None for instant in instants):
        return lambda instant: instant.received_ns or 0
    return None


def _rows_of(array: RecordedArray | None) -> tuple[MotRow, ...]:
    return () if array is None else array.rows


def of_sentence(arrays: Iterable[RecordedArray], sentence: str | None
                ) -> tuple[list[RecordedArray], str]:
    """Return the arrays with the boxes of one sentence alone, and the sentence.

    Args:
        arrays: All of them.
        sentence: The sentence; None takes the only one.

    Raises:
        DataError: boxes of several sentences, or of none, and none is named.
    """
    found = list(arrays)
    known = sorted({text for array in found for text in array.sentences})
    if sentence is None and len(known) != 1:
        raise DataError(f'the tracks are of {len(known)} sentences ({"; ".join(known)}); choose '
                        'one with --query')
    chosen = known[0] if sentence is None else sentence
    return [replace(array, rows=tuple(row for row, text in zip(
        array.rows, array.sentences, strict=True) if text == chosen)) for array in found], chosen
