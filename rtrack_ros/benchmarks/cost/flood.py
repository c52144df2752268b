"""A played scene alone, and the same with strangers who flood everything at once.

What the limits and turns of ``docs/security.md`` are worth: whether arrays still come at camera
rate, how often the scene's own sentence is answered, and what memory and log grow to.
"""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer

from rtrack_ros.benchmarks.cost.live import SCENE_SEED, SETTLING_S
from rtrack_ros.benchmarks.cost.memory import usage_of
from rtrack_ros.data.bag import THERMAL_TOPIC, open_bag
from rtrack_ros.data.recording import read_arrays
from rtrack_ros.data.rendering import render_frames
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.evaluation.run import RunQuery
from rtrack_ros.intake.messages import thermal_from_message
from rtrack_ros.playback.play import Playback, play, read_stamps
from rtrack_ros.playback.processes import ProcessGroup
from rtrack_ros.simulation import make_scene

SENTENCE: Final = 'all people'
OWN_ID: Final = 'default'
SETTLED_S: Final = 2.0
_COMPRESSED: Final = 'sensor_msgs/msg/CompressedImage'


@dataclass(frozen=True)
class FloodRun:
    """What one play showed.

    Attributes:
        sent: RGB images published after settling.
        published: Arrays among them that the node published.
        own_answers_hz: Answers to the scene's own sentence a second.
        peak_mib: Largest resident memory of the node, MiB.
        log_mib: What the node wrote to its log, MiB.
        tally: What strangers sent and were answered; empty without them.
    """

    sent: int
    published: int
    own_answers_hz: float
    peak_mib: float
    log_mib: float
    tally: dict[str, int]


def prepare(folder: Path, seconds: float) -> Path:
    """Record a scene at 30 Hz whose thermal images are compressed, so that bombs have a way in."""
    scene = make_scene(SCENE_SEED, seconds, place='yard', conditions=('day',))
    write_bag(folder / 'plain', scene, frames=render_frames(scene))
    with open_bag(folder / 'plain') as reader, Writer(
            folder / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        known = {}
        for item in reader.connections:
            packed = item.topic == THERMAL_TOPIC
            known[item.topic] = writer.add_connection(
                f'{item.topic}/compressed' if packed else item.topic,
                _COMPRESSED if packed else item.msgtype, typestore=_types())
        for item, time_ns, data in reader.messages():
            if item.topic == THERMAL_TOPIC:
                data = _packed(reader.deserialize(data, item.msgtype))
            writer.write(known[item.topic], time_ns, data)
    return folder / 'bag'


def _types() -> Any:
    from rtrack_ros.data.bag import image_types
    return image_types()


def _packed(message: Any) -> bytes:
    types = _types()
    _, data = cv2.imencode('.png', np.asarray(thermal_from_message(message).counts),
                           [cv2.IMWRITE_PNG_COMPRESSION, 1])
    kind = types.types[_COMPRESSED]
    return bytes(types.serialize_cdr(kind(header=message.header, format='png',
                                          data=data.reshape(-1)), _COMPRESSED))


def run_flood(bag: Path, scene_s: float, folder: Path, parameters: dict[str, str],
              seconds: float, strangers: bool,
              tick: Callable[[float], None] = lambda elapsed: None) -> FloodRun:
    """Play a recording to the node, with strangers or without.

    Args:
        bag: Of ``prepare``.
        scene_s: Its length.
        folder: New folder for recording and logs.
        parameters: Parameters of the node.
        seconds: How long to play, in whole scenes.
        strangers: Whether they are there.
        tick: Called with the seconds since the start, a few times a second.

    Raises:
        ProcessFailure: a process failed; the message names its log.
    """
    folder.mkdir(parents=True)
    counts, tally = folder / 'answers.json', folder / 'tally.json'
    playback = Playback(
        bag, scene_s, (RunQuery(SENTENCE, 0.0, 'class'),), folder,
        {'thermal.transport': 'compressed', **parameters}, rounds=max(1, round(seconds / scene_s)),
        node=(sys.executable, '-m', 'rtrack_ros.benchmarks.cost.watched_node', str(counts)))
    peaks: list[float] = []

    def watch(group: ProcessGroup) -> None:
        if strangers and not peaks:
            group.start('strangers', [sys.executable, '-m', 'rtrack_ros.benchmarks.cost.strangers',
                                      str(tally)])
        peaks.append(usage_of(group.pid('tracker_node'), 0.0).rss_mib)
        tick(len(peaks) * 0.2)

    play(playback, watch)
    sent = sorted(after for _, after in read_stamps(playback))
    counted = {stamp for stamp in sent if stamp >= sent[0] + SETTLING_S * 1e9}
    arrays = read_arrays(playback.recording)
    answers = json.loads(counts.read_text()).get(OWN_ID, 0)
    return FloodRun(
        len(counted), sum(array.stamp_ns in counted for array in arrays),
        answers / max((sent[-1] - sent[0]) * 1e-9, 1e-9), max(peaks),
        (folder / 'logs' / 'tracker_node.log').stat().st_size / (1 << 20),
        json.loads(tally.read_text()) if strangers else {})


def verdict(alone: FloodRun, flooded: FloodRun) -> list[tuple[str, float, float, bool]]:
    """Return (what, value, bound, whether it holds) of everything that is promised."""
    rate = flooded.published / max(flooded.sent, 1) / max(alone.published / max(alone.sent, 1),
                                                          1e-9)
    own = flooded.own_answers_hz / max(alone.own_answers_hz, 1e-9)
    memory = flooded.peak_mib / max(alone.peak_mib, 1e-9)
    calls = [flooded.tally.get(f'{name} answered', 0) / max(flooded.tally.get(name, 0), 1)
             for name in ('describe', 'initialize')]
    return [('arrays, of those without strangers', rate, 0.98, rate >= 0.98),
            ('answers to the own sentence, of those without', own, 0.5, own >= 0.5),
            ('memory, of that without', memory, 1.3, memory <= 1.3),
            ('log, MiB', flooded.log_mib, 5.0, flooded.log_mib <= 5.0),
            # Those of the last moment are under way.
            ('calls that were answered', min(calls), 0.97, min(calls) >= 0.97)]


def lines(alone: FloodRun, flooded: FloodRun) -> Iterable[str]:
    """Yield the outcome in words."""
    for name, run in (('alone', alone), ('flooded', flooded)):
        yield (f'{name:<8} {run.published} of {run.sent} arrays, own sentence '
               f'{run.own_answers_hz:.2f} answers a second, {run.peak_mib:.0f} MiB, log '
               f'{run.log_mib:.2f} MiB')
    if flooded.tally:
        yield 'sent     ' + ', '.join(f'{count} {what}' for what, count in
                                      sorted(flooded.tally.items()))
    for what, value, bound, holds in verdict(alone, flooded):
        yield f'{"holds" if holds else "FAILS":<8} {what}: {value:.2f} (bound {bound:g})'
