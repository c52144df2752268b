"""Turns what was recorded into a run, and the run into files."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from rtrack_ros.data.mot import MotRow, write_mot
from rtrack_ros.data.recording import RecordedArray, RecordedStatus, read_arrays, read_statuses
from rtrack_ros.data.truth import SceneTruth
from rtrack_ros.evaluation.report.overlay import OverlayWriter, compose_picture
from rtrack_ros.evaluation.report.writing import KeyPicture, caption, key_frames
from rtrack_ros.evaluation.run import Run, RunFrame, StatusSample
from rtrack_ros.frames import FramePair
from rtrack_ros.output_files import write_text
from rtrack_ros.playback.play import Playback, read_stamps


def recorded_run(playback: Playback, truth: SceneTruth | None, title: str) -> Run:
    """Return the run of a finished playback.

    Args:
        playback: What was played.
        truth: Truth of the recording; None for one without.
        title: Headline of the report.

    Raises:
        DataError: the recording cannot be read.
        ProcessFailure: the player left no map of stamps.
    """
    stamps = read_stamps(playback)
    statuses = read_statuses(playback.recording)
    arrays = {array.stamp_ns: array for array in read_arrays(playback.recording)}
    first_ns, shift_ns = stamps[0][0], stamps[0][1] - stamps[0][0]
    frames = tuple(_frame(before, (before - first_ns) * 1e-9, arrays.get(after), playback, known)
                   for (before, after), known in zip(stamps, _meant(stamps, truth, playback),
                                                     strict=True))
    samples = tuple(StatusSample((item.logged_ns - shift_ns - first_ns) * 1e-9, item.answers,
                                 item.answer_age_ms, item.answer_latency_ms)
                    for item in statuses if item.logged_ns >= stamps[0][1])
    return Run(tuple(playback.queries), frames, samples, title, _facts(playback, statuses))


def _query_at(playback: Playback, time_s: float) -> int:
    """Return the index of the sentence published last before a time, -1 before the first."""
    # The player publishes a sentence before the first message that is due with it.
    due = [index for index, query in enumerate(playback.queries)
           if query.start_s <= time_s + 1e-6]
    return due[-1] if due else -1


def _meant(stamps: list[tuple[int, int]], truth: SceneTruth | None, playback: Playback
           ) -> Iterator[tuple[tuple[MotRow, ...], str] | None]:
    """Yield (boxes meant, weather) of every image, None where there is no truth."""
    if truth is None:
        yield from (None for _ in stamps)
        return
    places = {frame.stamp_ns: index for index, frame in enumerate(truth.frames)}
    for before, _ in stamps:
        frame = truth.frames[places[before]]
        query = _query_at(playback, (before - stamps[0][0]) * 1e-9)
        ids = truth.expression(playback.queries[query].text).ids[places[before]] \
            if query >= 0 else frozenset()
        yield tuple(MotRow(1, item.id, item.box, visibility=item.visibility)
                    for item in frame.objects if item.id in ids), frame.condition


def _frame(stamp_ns: int, time_s: float, array: RecordedArray | None, playback: Playback,
           known: tuple[tuple[MotRow, ...], str] | None) -> RunFrame:
    meant, condition = known if known is not None else (None, '')
    latency = None if array is None else (array.logged_ns - array.stamp_ns) * 1e-6
    return RunFrame(time_s, _query_at(playback, time_s), None if array is None else array.rows,
                    meant, condition, latency)


def _facts(playback: Playback, statuses: list[RecordedStatus]) -> dict[str, str]:
    facts = {'played': f'{playback.seconds:.1f} s over DDS at camera rate'}
    if statuses:
        facts |= {'model': statuses[-1].model, 'engine': statuses[-1].engine}
    return facts


def write_pictures(path: Path, run: Run, pairs: Iterable[FramePair], fps: float
                   ) -> list[KeyPicture]:
    """Write the overlay video and return the pictures for the report.

    Args:
        path: Video to write.
        run: What was recorded.
        pairs: The frame pairs that were played, one for every frame of the run, in order.
        fps: Frames per second of the video.
    """
    wanted, pictures = set(key_frames(run)), []
    with OverlayWriter(path, fps) as video:
        for index, (frame, pair) in enumerate(zip(run.frames, pairs, strict=False)):
            picture = compose_picture(pair, frame.tracks or (), run.sentence(frame),
                                      frame.condition, frame.time_s, frame.truth)
            video.write_picture(picture)
            if index in wanted:
                pictures.append(KeyPicture(picture, caption(run, frame)))
    return pictures


def write_rows(folder: Path, run: Run) -> None:
    """Write what was published, and the truth, as MOTChallenge rows of the whole run.

    The rows of all sentences stand in one file, so that scores of the pooled sentences do not
    follow from it; it is for reading.
    """
    write_mot(folder / 'tracks.txt', (replace(row, frame=number)
                                      for number, frame in enumerate(run.frames, start=1)
                                      for row in frame.tracks or ()))
    if run.has_truth:
        write_mot(folder / 'truth.txt', (replace(row, frame=number)
                                         for number, frame in enumerate(run.frames, start=1)
                                         for row in frame.truth or ()))


def write_metrics(path: Path, metrics: dict[str, object]) -> None:
    """Write the figures as JSON."""
    write_text(path, json.dumps(metrics, indent=2) + '\n')
