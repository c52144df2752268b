"""A scene played to the node, or to the common way, under a share of the processor.

The age of the newest array is what a robot sees that looks a hundred times a second: now, less the
stamp of the newest array that was published by now. It counts waiting, work and the time between
two arrays. Times are those at which arrays were handed to DDS.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.benchmarks.cost.live import SETTLING_S
from rtrack_ros.benchmarks.cost.memory import Usage, usage_of
from rtrack_ros.benchmarks.pipeline.processor_share import (
    Quota,
    ShareReport,
    cores,
    limited,
    measured_share,
)
from rtrack_ros.benchmarks.pipeline.scenes import PlayedScene
from rtrack_ros.data.recording import RecordedArray, RecordedStatus, read_arrays, read_statuses
from rtrack_ros.evaluation.run import score_run
from rtrack_ros.playback.outcome import recorded_run
from rtrack_ros.playback.play import Playback, play, read_stamps
from rtrack_ros.playback.processes import ProcessGroup

OURS: Final = 'ours'
COMMON: Final = 'common'
WAYS: Final = (OURS, COMMON)
LOOK_S: Final = 0.01
_SAMPLE_S: Final = 1.0
_NODE: Final = 'tracker_node'
_MODULES: Final = 'rtrack_ros.benchmarks.pipeline'


@dataclass(frozen=True)
class PlayResult:
    """What came of one play; the first second is not counted.

    Attributes:
        way: 'ours' or 'common'.
        share: What share of the processor there was.
        played_s: Seconds played.
        sent: RGB images published by the camera.
        published: Arrays about them.
        ages_ms: Age of the newest array, at every look, milliseconds.
        delays_ms: From the stamp of an image to the publication of its array.
        superseded: Images that the node says it passed over; 0 where it does not say.
        behind_ms: Longest time that an image lay in the node's queue; None where unknown.
        boxes: Mean number of boxes in an array.
        answers: Answers applied.
        answer_ms: Median wall time of an answer; None before the first.
        hota: Streaming HOTA, 0 to 100: at the instant of every image the newest boxes published
            by then are compared with the truth of that instant; None where the play was stopped
            early, or the scene was played several times: identities end with each.
        used: Processor time of the node over that of all cores.
        usage: The node, about once a second.
        interrupted: Whether the play was stopped early.
    """

    way: str
    share: ShareReport
    played_s: float
    sent: int
    published: int
    ages_ms: NDArray[np.float64]
    delays_ms: NDArray[np.float64]
    superseded: int
    behind_ms: float | None
    boxes: float
    answers: int
    answer_ms: float | None
    hota: float | None
    used: float
    usage: tuple[Usage, ...]
    interrupted: bool = False

    def age_ms(self, percent: float) -> float | None:
        """Return a percentile of the ages, None without any array."""
        return _percentile(self.ages_ms, percent)

    def delay_ms(self, percent: float) -> float | None:
        """Return a percentile of the delays, None without any array."""
        return _percentile(self.delays_ms, percent)


def _percentile(values: NDArray[np.float64], percent: float) -> float | None:
    return float(np.percentile(values, percent)) if len(values) else None


def robot_ages(arrays: Sequence[tuple[int, int]], begin_ns: int, end_ns: int
               ) -> NDArray[np.float64]:
    """Return the age of the newest array at looks a hundred times a second, milliseconds.

    Before the first array there is nothing to be old, and no look counts.

    Args:
        arrays: (stamp, time of publication) of every array, nanoseconds, in any order.
        begin_ns: First look.
        end_ns: No look after this.
    """
    if not arrays:
        return np.zeros(0)
    first_ns = min(published for _, published in arrays)
    looks = np.arange(max(begin_ns, first_ns), end_ns + 1, round(LOOK_S * 1e9), dtype=np.int64)
    stamps = np.array([stamp for stamp, _ in arrays], np.int64)
    return np.asarray((looks - stamps[newest_at(arrays, looks)]) * 1e-6, np.float64)


def newest_at(arrays: Sequence[tuple[int, int]], times_ns: Sequence[int] | NDArray[np.int64]
              ) -> NDArray[np.int64]:
    """Return which array is the newest at some times, -1 before the first.

    An array about an older image than one that came before it is not the newest.

    Args:
        arrays: (stamp, time of publication) of every array, nanoseconds, in any order.
        times_ns: Times.
    """
    order = sorted(range(len(arrays)), key=lambda index: arrays[index][1])
    newest, best = [-1], -1
    for index in order:
        best = index if best < 0 or arrays[index][0] >= arrays[best][0] else best
        newest.append(best)
    published = np.array([arrays[index][1] for index in order], np.int64)
    return np.array(newest, np.int64)[np.searchsorted(published, times_ns, 'right')]


class _Watch:
    """Limits the node once everything runs, and samples it about once a second."""

    def __init__(self, quota: Quota, tick: Callable[[float], None]) -> None:
        self.samples: list[Usage] = []
        self._quota, self._tick, self._began = quota, tick, 0.0

    def __call__(self, group: ProcessGroup) -> None:
        now, pid = time.monotonic(), group.pid(_NODE)
        if not self._began:
            self._began = now
            self._quota.add(pid)
        elapsed = now - self._began
        if not self.samples or elapsed - self.samples[-1].time_s >= _SAMPLE_S:
            self.samples.append(usage_of(pid, elapsed))
        self._tick(elapsed)


def play_scene(scene: PlayedScene, folder: Path, way: str, share: float,
               seconds: float | None = None,
               tick: Callable[[float], None] = lambda elapsed: None) -> PlayResult:
    """Play a scene and return what came of it.

    Ctrl-C ends the play; what was recorded until then is returned as interrupted.

    Args:
        scene: What is played.
        folder: New folder for recording and logs.
        way: 'ours' or 'common'.
        share: Of every core, for the node with its model; cameras and recorder have no limit.
        seconds: How long, in whole scenes; None for once.
        tick: Called with the seconds since the start, a few times a second.

    Raises:
        ProcessFailure: a process failed; the message names its log.
        DataError: the recording cannot be read.
    """
    folder.mkdir(parents=True)
    playback = Playback(
        scene.bag, scene.seconds, scene.queries, folder, scene.parameters,
        rounds=1 if seconds is None else max(1, round(seconds / scene.seconds)),
        node=_command(way, scene.answers))
    report = measured_share(share)
    with limited(share) as quota:
        watch = _Watch(quota, tick)
        interrupted = _played(playback, watch)
        report = replace(report, held_back=quota.held_back())
    return _result(playback, scene, way, report, watch.samples, interrupted)


def _played(playback: Playback, watch: _Watch) -> bool:
    """Play; returns whether it was stopped early."""
    try:
        play(playback, watch)
    except KeyboardInterrupt:
        if not watch.samples or not read_arrays(playback.recording):
            raise
        return True
    return False


def _command(way: str, answers: Path | None) -> list[str]:
    """Return what starts the node; empty for the tracker node itself."""
    if way == COMMON:
        told = [] if answers is None else ['--answers', str(answers)]
        return [sys.executable, '-m', f'{_MODULES}.common_node', *told]
    if answers is None:
        return []
    return [sys.executable, '-m', f'{_MODULES}.true_node', str(answers)]


def _result(playback: Playback, scene: PlayedScene, way: str, share: ShareReport,
            usage: list[Usage], interrupted: bool) -> PlayResult:
    arrays = read_arrays(playback.recording)
    # The player writes its map of stamps at the end: without it nobody knows of lost images.
    sent = ([array.stamp_ns for array in arrays] if interrupted
            else [after for _, after in read_stamps(playback)])
    begin_ns, end_ns = min(sent) + round(SETTLING_S * 1e9), max(sent)
    counted = {stamp for stamp in sent if stamp >= begin_ns}
    kept = [array for array in arrays if array.stamp_ns in counted]
    statuses = read_statuses(playback.recording)
    return PlayResult(
        way, share, (end_ns - min(sent)) * 1e-9, len(counted), len(kept),
        robot_ages([(array.stamp_ns, array.logged_ns) for array in arrays], begin_ns, end_ns),
        np.array([(array.logged_ns - array.stamp_ns) * 1e-6 for array in kept]),
        statuses[-1].superseded if statuses else 0, _longest_behind(statuses, begin_ns),
        float(np.mean([len(array.rows) for array in kept])) if kept else 0.0,
        statuses[-1].answers if statuses else 0, _answer_ms(statuses),
        None if interrupted or playback.rounds > 1 else streaming_hota(playback, scene, arrays),
        _used(usage), tuple(usage), interrupted)


def streaming_hota(playback: Playback, scene: PlayedScene, arrays: Sequence[RecordedArray]
                   ) -> float:
    """Return streaming HOTA of what was published, 0 to 100."""
    instants = [after for _, after in read_stamps(playback)]
    newest = newest_at([(array.stamp_ns, array.logged_ns) for array in arrays], instants)
    run = recorded_run(playback, scene.truth, '')
    frames = tuple(replace(frame, tracks=arrays[index].rows if index >= 0 else None)
                   for frame, index in zip(run.frames, newest, strict=True))
    return score_run(replace(run, frames=frames)).overall.scores.hota


def _longest_behind(statuses: Sequence[RecordedStatus], begin_ns: int) -> float | None:
    known = [status.behind_ms for status in statuses
             if status.behind_ms is not None and status.logged_ns >= begin_ns]
    return max(known, default=None)


def _answer_ms(statuses: Sequence[RecordedStatus]) -> float | None:
    known = [status.answer_latency_ms for status in statuses
             if status.answer_latency_ms is not None]
    return float(np.median(known)) if known else None


def _used(usage: Sequence[Usage]) -> float:
    if len(usage) < 2:
        return 0.0
    elapsed = usage[-1].time_s - usage[0].time_s
    return (usage[-1].cpu_s - usage[0].cpu_s) / max(elapsed * cores(), 1e-9)
