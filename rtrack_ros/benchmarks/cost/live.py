"""The real node over DDS: delay from stamp to publication, and memory over a long play.

Processes are those of ``rtrack demo``: a player publishes both cameras at 30 Hz with stamps of the
wall clock, the node tracks, a recorder logs when the node published. Counted is the time from the
stamp of an RGB image, the moment the player was due to publish it, to the moment the node handed
the array to DDS: transport, waiting for the thermal partner, pairing and tracking are in it, as is
whatever else the machine does.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtrack_ros.benchmarks.cost.memory import Usage, usage_of
from rtrack_ros.data.recording import RecordedArray, RecordedStatus, read_arrays, read_statuses
from rtrack_ros.data.rendering import render_frames
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.evaluation.run import RunQuery
from rtrack_ros.playback.play import Playback, play, read_stamps
from rtrack_ros.playback.processes import ProcessGroup
from rtrack_ros.playback.script import CONDITIONS, write_script
from rtrack_ros.simulation import make_scene

SCENE_SEED = 9_600_001
SCRIPTED_TRACKS = 10
SETTLING_S = 1.0
"""Seconds of arrays at the start that are not counted."""
_SAMPLE_PERIOD_S = 1.0
_NODE = 'tracker_node'


@dataclass(frozen=True)
class Scene:
    """A recording to be played, with its sentences."""

    bag: Path
    seconds: float
    queries: tuple[RunQuery, ...]


@dataclass(frozen=True)
class LiveCost:
    """What the node did during one play.

    Attributes:
        engine: Engine and model that answered.
        played_s: Seconds played.
        sent: RGB images published after settling.
        published: Arrays among them that the node published.
        delays_ms: Stamp to publication of each of these arrays, milliseconds.
        tracks: Mean number of boxes in an array.
        answers: Answers applied.
        failures: Questions that the engine failed on or answered in no known form.
        answer_ms: Median wall time of an answer; None before the first.
        busy: Share of the play during which the engine was answering.
        node_ms: Processor time per RGB image of the whole node process, engine included.
        usage: The node process, about once a second.
        interrupted: Whether the play was stopped early.
    """

    engine: str
    played_s: float
    sent: int
    published: int
    delays_ms: tuple[float, ...]
    tracks: float
    answers: int
    failures: int
    answer_ms: float | None
    busy: float
    node_ms: float
    usage: tuple[Usage, ...]
    interrupted: bool = False

    def delay_ms(self, percent: float) -> float | None:
        """Return a percentile of the delays, None without any."""
        return float(np.percentile(self.delays_ms, percent)) if self.delays_ms else None


def prepare_scene(folder: Path, seconds: float) -> Scene:
    """Record a scene of day, night and smoke at 640x480 and 30 Hz, stamps jittering by 2 ms."""
    scene = make_scene(SCENE_SEED, seconds, place='yard', conditions=CONDITIONS)
    queries = write_script(scene.expressions, len(scene), scene.fps)
    write_bag(folder, scene, jitter_ms=2.0, offset_ms=4.0, frames=render_frames(scene))
    return Scene(folder, seconds, queries)


def scripted_answers(path: Path) -> dict[str, str]:
    """Write the script of an engine that always answers ten boxes; returns node parameters.

    It takes as long for an answer as rtrack-nano and no processor time: what the node does without
    a model beside it.
    """
    columns = SCRIPTED_TRACKS // 2
    boxes = [{'bbox_2d': [left, top, left + 90, top + 260], 'label': 'person'}
             for top in (330, 640) for left in (50 + 180 * column for column in range(columns))]
    path.write_text(json.dumps([json.dumps(boxes)]), encoding='utf-8')
    return {'engine.name': 'scripted', 'engine.model': str(path)}


class _Watch:
    """Samples the node process now and then while it plays."""

    def __init__(self, tick: Callable[[float], None]) -> None:
        self.samples: list[Usage] = []
        self._tick = tick
        self._began = 0.0

    def __call__(self, group: ProcessGroup) -> None:
        now = time.monotonic()
        self._began = self._began or now
        elapsed = now - self._began
        if not self.samples or elapsed - self.samples[-1].time_s >= _SAMPLE_PERIOD_S:
            self.samples.append(usage_of(group.pid(_NODE), elapsed))
        self._tick(elapsed)


def measure_live(scene: Scene, folder: Path, parameters: dict[str, str], seconds: float,
                 tick: Callable[[float], None] = lambda elapsed: None) -> LiveCost:
    """Play a recording to the node for a while and return what it did.

    Ctrl-C ends the play; what was recorded until then is returned as an interrupted cost.

    Args:
        scene: What to play, over and over where it is shorter than ``seconds``.
        folder: New folder for recording and logs.
        parameters: Parameters of the node.
        seconds: How long to play, in whole scenes.
        tick: Called with the seconds since the start, a few times a second.

    Raises:
        ProcessFailure: a process failed; the message names its log.
        DataError: the recording cannot be read.
    """
    folder.mkdir(parents=True)
    playback = Playback(scene.bag, scene.seconds, scene.queries, folder, parameters,
                        rounds=max(1, round(seconds / scene.seconds)))
    watch = _Watch(tick)
    try:
        play(playback, watch)
    except KeyboardInterrupt:
        if not watch.samples:
            raise
        return _interrupted(playback, watch.samples)
    sent = [after for _, after in read_stamps(playback)]
    return _cost(read_arrays(playback.recording), read_statuses(playback.recording), sent,
                 watch.samples, interrupted=False)


def _interrupted(playback: Playback, usage: list[Usage]) -> LiveCost:
    # The player writes its map of stamps at the end; without it nothing tells of lost images.
    arrays = read_arrays(playback.recording)
    if not arrays:
        raise KeyboardInterrupt
    return _cost(arrays, read_statuses(playback.recording),
                 [array.stamp_ns for array in arrays], usage, interrupted=True)


def _cost(arrays: Sequence[RecordedArray], statuses: Sequence[RecordedStatus],
          sent: Sequence[int], usage: list[Usage], interrupted: bool) -> LiveCost:
    begin_ns = min(sent) + int(SETTLING_S * 1e9)
    counted = {stamp for stamp in sent if stamp >= begin_ns}
    kept = [array for array in arrays if array.stamp_ns in counted]
    played_s = (max(sent) - min(sent)) * 1e-9
    known = [status for status in statuses if status.answer_latency_ms is not None]
    answer_ms = [status.answer_latency_ms for status in known]
    median = float(np.median(np.array(answer_ms, np.float64))) if answer_ms else None
    last = statuses[-1] if statuses else None
    answers, failures = (last.answers, last.failures) if last else (0, 0)
    return LiveCost(
        f'{last.engine} {last.model}' if last else '', played_s, len(counted), len(kept),
        tuple((array.logged_ns - array.stamp_ns) * 1e-6 for array in kept),
        float(np.mean([len(array.rows) for array in kept])) if kept else 0.0, answers,
        failures, median,
        min(1.0, answers * (median or 0.0) * 1e-3 / max(played_s, 1e-9)),
        _node_ms(usage, len(sent) / max(played_s, 1e-9)), tuple(usage), interrupted)


def _node_ms(usage: list[Usage], rate_hz: float) -> float:
    """Return processor time per image, milliseconds, from the samples of the second half.

    The first samples see the end of loading the model and the wait for the player.
    """
    later = usage[len(usage) // 2:]
    if len(later) < 2 or rate_hz <= 0:
        return 0.0
    elapsed = later[-1].time_s - later[0].time_s
    return (later[-1].cpu_s - later[0].cpu_s) / max(elapsed * rate_hz, 1e-9) * 1e3
