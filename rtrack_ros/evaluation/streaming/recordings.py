"""Recordings with truth as streams to be scored: simulated, RefRT, or files of a user."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from rtrack_ros.data.mot import MotFrames, MotRow, read_mot
from rtrack_ros.data.pairs import DataError, PairSource, Tally
from rtrack_ros.data.refrt_folder import read_refrt
from rtrack_ros.data.truth import SceneTruth
from rtrack_ros.data.videos import open_pairs
from rtrack_ros.evaluation.sequences import by_frame, last_frame
from rtrack_ros.evaluation.streaming.oracle import Faults, Oracle
from rtrack_ros.evaluation.streaming.protocol import Stream
from rtrack_ros.frames import FramePair
from rtrack_ros.language.queries import Query, clean_query_text


class ForwardPairs:
    """Frame pairs by index, of which only the last one read is held.

    Reading on is cheap, going back begins at the front: made for runs that go through a recording
    once each.

    Args:
        source: Where the pairs come from.
        watch: Wraps the first pass over the source, to show progress for example.

    Attributes:
        tally: What the first pass used and left out.
    """

    def __init__(self, source: PairSource,
                 watch: Callable[[Iterable[FramePair]], Iterable[FramePair]] = iter) -> None:
        self._source = source
        self.stamps_ns: list[int] = []
        self.size = (0, 0)
        for pair in watch(source):
            self.stamps_ns.append(pair.stamp_ns)
            self.size = (pair.width, pair.height)
        # Of the first reading, which was a whole one.
        self.tally = getattr(source, 'tally', Tally())
        self._reader: Iterator[FramePair] = iter(())
        self._last: tuple[int, FramePair] | None = None

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def __getitem__(self, index: int, /) -> FramePair:
        if not 0 <= index < len(self):
            raise IndexError(f'pair {index} of a recording of {len(self)}')
        if self._last is None or index < self._last[0]:
            self._reader, self._last = iter(self._source), None
        position = -1 if self._last is None else self._last[0]
        for pair in islice(self._reader, index - position):
            position += 1
            self._last = (position, pair)
        if self._last is None or self._last[0] != index:
            raise DataError(f'the recording ended before pair {index}, which it had when it was '
                            'first read; leave it alone while it is evaluated')
        return self._last[1]


@dataclass(frozen=True, eq=False)
class Recording:
    """A stream, and what an oracle needs to answer about it.

    Attributes:
        stream: Pairs, sentence and truth.
        meant: Boxes that the sentence means, by pair number from 1.
        others: Known boxes that it does not mean, by pair number from 1.
        size: (width, height) of the RGB images in pixels.
        tally: What the recording lacks.
    """

    stream: Stream
    meant: MotFrames
    others: MotFrames
    size: tuple[int, int]
    tally: Tally = field(default_factory=Tally)

    def oracle(self, faults: Faults) -> Oracle:
        """Return an oracle about this recording."""
        return Oracle(0, self.stream.stamps_ns, self.meant, self.others, self.size, faults)


def open_recordings(folder: Path, sentence: str | None = None, fps: float = 30.0
                    ) -> Iterator[Recording]:
    """Yield the recordings of a folder, one for every sentence.

    Args:
        folder: What ``rtrack simulate`` wrote (its bag, its video folder, the folder that holds
            them), one RefRT sequence, or a folder of RefRT sequences.
        sentence: Take only this sentence; None takes all.
        fps: Rate of image folders.

    Raises:
        DataError: there is no recording with truth, or it has no such sentence.
    """
    scene = _scene_folder(folder)
    found = False
    for recording in (_scene_recordings(scene, sentence) if scene is not None
                      else _refrt_recordings(folder, sentence, fps)):
        found = True
        yield recording
    if not found:
        raise DataError(f"no sequence in {folder} has the sentence '{sentence}'")


def open_recording(rgb: Path, thermal: Path | None, truth: Path, sentence: str,
                   fps: float = 30.0) -> Recording:
    """Return a recording of a user: two streams, a sentence, and MOTChallenge rows of its truth.

    Raises:
        DataError: an input is missing, or the truth reaches beyond the recording.
        MotError: the truth cannot be read.
    """
    source = open_pairs(rgb, thermal, fps)
    pairs, rows = ForwardPairs(source), read_mot(truth)
    count = source.tally.rgb.images
    if last_frame(rows) > count:
        raise DataError(f'{truth} reaches to frame {last_frame(rows)}, but {rgb} has {count}')
    # Frames of images that could not be read are in nobody's score.
    readable = {number: [replace(row, frame=number) for row in rows[frame]]
                for number, frame in enumerate(source.numbers, start=1) if frame in rows}
    return _recording(rgb.name, sentence, pairs, pairs.stamps_ns, readable, {})


def _scene_folder(folder: Path) -> Path | None:
    """Return the simulated recording at or in a folder, None where there is none."""
    for candidate in (folder, folder / 'bag', folder / 'video'):
        if (candidate / 'truth' / 'truth.json').is_file():
            return candidate
    return None


def _scene_recordings(folder: Path, sentence: str | None) -> Iterator[Recording]:
    truth = SceneTruth.load(folder / 'truth')
    video = folder / 'visible.mp4'
    pairs = ForwardPairs(open_pairs(video, folder / 'infrared.mp4') if video.exists()
                         else open_pairs(folder))
    chosen = truth.expressions if sentence is None else (truth.expression(sentence),)
    for expression in chosen:
        others = [MotRow(number, item.id, item.box)
                  for number, frame in enumerate(truth.frames, start=1)
                  for item in frame.objects if item.id not in expression.ids[number - 1]]
        yield _recording(folder.name, expression.text, pairs,
                         [frame.stamp_ns for frame in truth.frames],
                         by_frame(truth.rows(expression)), by_frame(others))


def _refrt_recordings(folder: Path, sentence: str | None, fps: float) -> Iterator[Recording]:
    for sequence in read_refrt(folder):
        if sentence in (None, *sequence.descriptions):
            pairs = ForwardPairs(sequence.pairs(fps))
            yield _recording(sequence.name, sentence or sequence.sentence, pairs,
                             pairs.stamps_ns, sequence.truth, {})


def _recording(name: str, sentence: str, pairs: ForwardPairs, instants_ns: Sequence[int],
               truth: MotFrames, others: MotFrames) -> Recording:
    """Return a recording whose truth is known at instants that need not all be pairs."""
    query = Query('default', clean_query_text(sentence), 1)
    stream = Stream(f'{name}+{sentence}', query, pairs, pairs.stamps_ns, instants_ns, truth)
    instants = {stamp_ns: number for number, stamp_ns in enumerate(instants_ns, start=1)}
    places = [instants.get(stamp_ns) for stamp_ns in pairs.stamps_ns]
    return Recording(stream, _moved(truth, places), _moved(others, places), pairs.size,
                     pairs.tally)


def _moved(rows: MotFrames, places: Sequence[int | None]) -> MotFrames:
    """Return rows by pair number, given the instant number of every pair."""
    return {number: rows[place] for number, place in enumerate(places, start=1)
            if place is not None and place in rows}

