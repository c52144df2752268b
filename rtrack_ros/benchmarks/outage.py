"""What a played run is worth while its detector dies, returns, and looks at a resized image.

A scene is played to the real node twice: with a detector on ``~/detections`` that has such a day,
and without one. The score of each phase stands beside what the node said about it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.data.detection_bag import DetectionMessage
from rtrack_ros.data.mot import MotRow
from rtrack_ros.data.recording import DETECTIONS_TOPIC, RecordedStatus, read_statuses
from rtrack_ros.data.rendering import render_frames
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.data.truth import SceneTruth
from rtrack_ros.detections import Detection
from rtrack_ros.evaluation.run import RunQuery, score_run
from rtrack_ros.evaluation.streaming.oracle import Faults, Oracle
from rtrack_ros.language.queries import Query
from rtrack_ros.playback.outcome import recorded_run
from rtrack_ros.playback.play import Playback, play, read_stamps
from rtrack_ros.playback.script import PEOPLE
from rtrack_ros.simulation import Scene, SimFrame, make_scene

WITH, WITHOUT = 'with the detector', 'without a detector'
_EVERY: Final = Query('detector', 'all objects', 1)
_EVERY_NTH, _LATENCY_NS = 3, 30_000_000


@dataclass(frozen=True)
class Phase:
    """A stretch of the detector's day.

    Attributes:
        name: In words.
        begin: Share of the play at which it begins.
        sends: Whether the detector sends anything.
        scale: Size of the image that it looks at, over that of the camera.
    """

    name: str
    begin: float
    sends: bool = True
    scale: float = 1.0


PHASES: Final = (Phase('well', 0.0), Phase('dead', 0.3, sends=False), Phase('back', 0.55),
                 Phase('looks at a larger image', 0.75, scale=2.0))


def phase_at(share: float) -> Phase:
    """Return the phase at a share of the play, from 0 to 1."""
    return [phase for phase in PHASES if phase.begin <= share][-1]


@dataclass(frozen=True)
class SimulatedDay:
    """What a detector sends about a scene; its faults are those of the streaming benchmark.

    Attributes:
        scene: The scene.
        faults: How bad it is while it is well.
    """

    scene: Scene
    faults: Faults = field(default_factory=Faults)

    def __call__(self, frame: SimFrame) -> DetectionMessage | None:
        """Return what is sent about a frame: every third is looked at."""
        phase = phase_at(frame.index / len(self.scene))
        if frame.index % _EVERY_NTH or not phase.sends:
            return None
        rows = [MotRow(frame.index + 1, item.id, item.box) for item in frame.objects]
        oracle = Oracle(self.scene.seed, range(frame.index + 1), {frame.index + 1: rows}, {},
                        (self.scene.width, self.scene.height), self.faults,
                        words={item.id: item.category for item in frame.objects})
        found = oracle.about(frame.index, _EVERY).answer.groundings
        return DetectionMessage(frame.stamp_ns, frame.stamp_ns + _LATENCY_NS, [
            Detection(_scaled(item.box, phase.scale), item.label, 0.9) for item in found])


def _scaled(box: Sequence[float], scale: float) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (edge * scale for edge in box)
    return x1, y1, x2, y2


@dataclass(frozen=True)
class PhaseResult:
    """What came of a phase.

    Attributes:
        hota: HOTA of the published boxes, percent.
        recall: Detection recall, percent.
        precision: Detection precision, percent.
        said: What the node said was wrong, each sentence once, numbers left out.
    """

    hota: float
    recall: float
    precision: float
    said: tuple[str, ...]


def run_outage(folder: Path, seconds: float, seed: int, parameters: Mapping[str, str]
               ) -> dict[str, dict[str, PhaseResult]]:
    """Play a scene with the detector and without; return the results by play and phase.

    Args:
        folder: Where recordings and logs go.
        seconds: Length of the scene.
        seed: Of the scene.
        parameters: Parameters of the node.

    Raises:
        ProcessFailure: the node or the player failed; the message names its log.
        MissingTrackEval: TrackEval is not installed.
    """
    scene = make_scene(seed, seconds, conditions=('day', 'night'))
    truth = write_bag(folder / 'scene', scene, frames=render_frames(scene),
                      detector=SimulatedDay(scene))
    sentence = next(item.text for item in truth.expressions
                    if item.kind == 'class' and PEOPLE.search(item.text))
    results = {}
    for name, excluded in ((WITH, ()), (WITHOUT, (DETECTIONS_TOPIC,))):
        own = folder / name.replace(' ', '_')
        own.mkdir()
        playback = Playback(folder / 'scene', seconds, (RunQuery(sentence, 0.0),), own,
                            dict(parameters), exclude=excluded)
        play(playback)
        results[name] = by_phase(playback, truth)
    return results


def by_phase(playback: Playback, truth: SceneTruth) -> dict[str, PhaseResult]:
    """Return what came of every phase of a finished play."""
    run = recorded_run(playback, truth, 'outage')
    run = replace(run, frames=tuple(
        replace(frame, condition=phase_at(frame.time_s / playback.seconds).name)
        for frame in run.frames))
    begin_ns = read_stamps(playback)[0][1]
    said = sentences_by_phase(read_statuses(playback.recording), begin_ns, playback.seconds)
    return {split.name: PhaseResult(split.scores.hota, split.scores.detre, split.scores.detpr,
                                    said.get(split.name, ()))
            for split in score_run(run).by_condition}


def sentences_by_phase(statuses: Iterable[RecordedStatus], begin_ns: int, seconds: float
                       ) -> dict[str, tuple[str, ...]]:
    """Return what the node said was wrong in each phase, each sentence once, without numbers.

    Args:
        statuses: What it said.
        begin_ns: Stamp of the first image.
        seconds: Length of the play.
    """
    said: dict[str, list[str]] = {}
    for status in statuses:
        share = (status.logged_ns - begin_ns) * 1e-9 / seconds
        if status.message and 0 <= share < 1:
            known = said.setdefault(phase_at(share).name, [])
            text = re.sub(r'\d+', 'N', status.message)
            known += [] if text in known else [text]
    return {name: tuple(texts) for name, texts in said.items()}


def outage_table(results: Mapping[str, Mapping[str, PhaseResult]]) -> Table:
    """Return one row for each phase."""
    table = Table(header_style='bold', box=SIMPLE_HEAD, pad_edge=False)
    for name in ('the detector', 'HOTA', 'recall', 'precision', 'HOTA without it', 'said'):
        table.add_column(name, justify='left' if name in ('the detector', 'said') else 'right')
    for phase, seen in results[WITH].items():
        table.add_row(phase, f'{seen.hota:.1f}', f'{seen.recall:.1f}', f'{seen.precision:.1f}',
                      f'{results[WITHOUT][phase].hota:.1f}', '; '.join(seen.said))
    return table


def as_dict(results: Mapping[str, Mapping[str, PhaseResult]]) -> dict[str, Any]:
    """Return plain values for JSON."""
    return {name: {phase: {key: round(value, 2) if isinstance(value, (float, np.floating))
                           else list(value) for key, value in asdict(result).items()}
                   for phase, result in phases.items()} for name, phases in results.items()}
