"""Writes a simulated scene as a recording, with the faults that real sensors have."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.data.bag_writing import START_NS, ImageBagWriter
from rtrack_ros.data.detection_bag import DetectionMessage
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.recording import DETECTIONS_TOPIC
from rtrack_ros.data.truth import SceneTruth, TruthCollector
from rtrack_ros.simulation import Scene, SimFrame

Spans = Sequence[tuple[float, float]]
_Waiting = tuple[int, int, 'NDArray[np.generic] | DetectionMessage']
# RGB images are sensor 0, thermal ones 1; every message of a detector is one of its own.
_DETECTIONS = 2
Detects = Callable[[SimFrame], DetectionMessage | None]
_MILLISECOND = 1e6


@dataclass(frozen=True)
class SensorFaults:
    """How the two cameras of a recording misbehave.

    Attributes:
        jitter_ms: Every stamp is off by up to this much, evenly spread to both sides.
        offset_ms: Constant lag of thermal stamps behind RGB stamps; negative is a lead.
        drop_thermal: Spans in seconds from the start without thermal images.
        drop_rgb: Spans in seconds from the start without RGB images.
        thermal_every: Only every n-th thermal image is recorded: 3 makes a 10 Hz thermal camera.
        seed: Fixes the jitter.
    """

    jitter_ms: float = 0.0
    offset_ms: float = 0.0
    drop_thermal: Spans = ()
    drop_rgb: Spans = ()
    thermal_every: int = 1
    seed: int = 0


def write_bag(path: Path | str, scene: Scene, *, jitter_ms: float = 0.0, offset_ms: float = 0.0,
              drop_thermal: Spans = (), drop_rgb: Spans = (), thermal_every: int = 1,
              frames: Iterable[SimFrame] | None = None,
              detector: Detects = lambda frame: None) -> SceneTruth:
    """Write a scene as an mcap recording with its truth beside it.

    Args:
        path: Folder to be created.
        scene: What to write.
        jitter_ms: See :class:`SensorFaults`, as for the other faults.
        offset_ms: Lag of thermal stamps.
        drop_thermal: Spans without thermal images.
        drop_rgb: Spans without RGB images.
        thermal_every: Share of thermal images kept.
        frames: The scene's frames where they are drawn elsewhere; None draws them here.
        detector: Returns what a detector publishes about a frame on ``/rtrack/detections``, None
            for nothing; times from the start of the scene.

    Returns:
        The truth of the RGB images that were written, with the stamps they carry.

    Raises:
        DataError: something is at ``path``, or jitter would disturb the order of images.
    """
    faults = SensorFaults(jitter_ms, offset_ms, drop_thermal, drop_rgb, thermal_every, scene.seed)
    if 2 * jitter_ms >= 1e3 / scene.fps:
        raise DataError(f'a jitter of {jitter_ms} ms would disturb the order of images at '
                        f'{scene.fps} per second; stay below {500 / scene.fps:.1f} ms')
    collector = TruthCollector(scene.fps, scene.expressions)
    with ImageBagWriter(path) as writer:
        _write_frames(writer, scene if frames is None else frames, faults, collector, detector)
    truth = collector.truth()
    truth.save(Path(path) / 'truth')
    return truth


def _write_frames(writer: ImageBagWriter, frames: Iterable[SimFrame], faults: SensorFaults,
                  collector: TruthCollector, detector: Detects) -> None:
    """Write all streams in the order of their stamps, detections in that of their coming."""
    rng = np.random.default_rng((faults.seed, 1))
    waiting: list[_Waiting] = []
    lead_ns = (faults.jitter_ms + max(0.0, -faults.offset_ms)) * _MILLISECOND
    for frame in frames:
        # Nothing that comes later can carry a stamp before this.
        _flush(writer, waiting, START_NS + frame.stamp_ns - lead_ns)
        jitter = rng.uniform(-faults.jitter_ms, faults.jitter_ms, 2) * _MILLISECOND
        seconds = frame.stamp_ns * 1e-9
        if not _inside(seconds, faults.drop_rgb):
            stamp_ns = START_NS + frame.stamp_ns + round(jitter[0])
            collector.add(frame, stamp_ns)
            heapq.heappush(waiting, (stamp_ns, 0, frame.rgb))
        if frame.index % faults.thermal_every == 0 and not _inside(seconds, faults.drop_thermal):
            shift = round(jitter[1] + faults.offset_ms * _MILLISECOND)
            heapq.heappush(waiting, (START_NS + frame.stamp_ns + shift, 1, frame.thermal))
        message = detector(frame)
        if message is not None:
            message = replace(message, stamp_ns=START_NS + message.stamp_ns,
                              logged_ns=START_NS + message.logged_ns)
            heapq.heappush(waiting, (message.logged_ns, _DETECTIONS + frame.index, message))
    _flush(writer, waiting, float('inf'))


def _flush(writer: ImageBagWriter, waiting: list[_Waiting], until_ns: float) -> None:
    while waiting and waiting[0][0] < until_ns:
        stamp_ns, sensor, image = heapq.heappop(waiting)
        if isinstance(image, DetectionMessage):
            writer.write_detections(DETECTIONS_TOPIC, image)
        elif sensor == 0:
            writer.write_rgb(stamp_ns, np.asarray(image, np.uint8))
        else:
            writer.write_thermal(stamp_ns, image)


def _inside(seconds: float, spans: Spans) -> bool:
    return any(begin <= seconds < end for begin, end in spans)
