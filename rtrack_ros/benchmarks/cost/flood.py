"""A played scene alone, and the same with strangers who flood everything at once.

What the limits and turns of ``docs/security.md`` are worth: whether arrays still come at camera
rate, how often the scene's own sentence is answered, and what memory and log grow to.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
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
RATE_HZ: Final = 30.0
_COMPRESSED: Final = 'sensor_msgs/msg/CompressedImage'


@dataclass(frozen=True)
class FloodRun:
    """What one play showed, or showed until it was interrupted.

    Attributes:
        seconds: How long it was played.
        sent: RGB images published after settling.
        published: Arrays among them that the node published.
        own_answers: Answers to the scene's own sentence.
        settled_turns: Turns of the model for sentences that are no guests: the scene's own.
        settled_s: How long the model took for them, seconds.
        guest_turns: Turns of the model for guests.
        guest_s: How long it took for them, seconds.
        model_cpu_s: Processor time of the threads of the model, seconds.
        node_cpu_s: That of all others of the node, seconds.
        peak_mib: Largest resident memory of the node, MiB.
        log_mib: What the node wrote to its log, MiB.
        tally: What strangers sent and were answered; empty without them.
        whole: Whether it was played to its end.
    """

    seconds: float
    sent: int
    published: int
    own_answers: int
    settled_turns: int
    settled_s: float
    guest_turns: int
    guest_s: float
    model_cpu_s: float
    node_cpu_s: float
    peak_mib: float
    log_mib: float
    tally: dict[str, float]
    whole: bool = True


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


class FloodPlay:
    """One play of a recording to the node, with strangers or without.

    Args:
        bag: Of ``prepare``.
        scene_s: Its length.
        folder: New folder for recording and logs.
        parameters: Parameters of the node.
        seconds: How long to play, in whole scenes.
        niceness: That of the strangers; None plays without them.
    """

    def __init__(self, bag: Path, scene_s: float, folder: Path, parameters: dict[str, str],
                 seconds: float, niceness: int | None) -> None:
        folder.mkdir(parents=True)
        self._folder, self._niceness = folder, niceness
        self._counts, self._tally = folder / 'counts.json', folder / 'tally.json'
        self._playback = Playback(
            bag, scene_s, (RunQuery(SENTENCE, 0.0, 'class'),), folder,
            {'thermal.transport': 'compressed', **parameters},
            rounds=max(1, round(seconds / scene_s)),
            node=(sys.executable, '-m', 'rtrack_ros.benchmarks.cost.watched_node',
                  str(self._counts)))
        self._began: float | None = None
        self._peak_mib = 0.0

    def run(self, tick: Callable[[FloodRun], None] = lambda so_far: None) -> FloodRun:
        """Play, and return what it showed.

        Args:
            tick: Called with what was seen so far, a few times a second.

        Raises:
            ProcessFailure: a process failed; the message names its log.
        """
        def watch(group: ProcessGroup) -> None:
            if self._began is None:
                self._began = time.monotonic()
                if self._niceness is not None:
                    group.start('strangers', [
                        sys.executable, '-m', 'rtrack_ros.benchmarks.cost.strangers',
                        str(self._tally), str(self._niceness)])
            self._peak_mib = max(self._peak_mib, usage_of(group.pid('tracker_node'), 0.0).rss_mib)
            tick(self.so_far())

        play(self._playback, watch)
        sent = sorted(after for _, after in read_stamps(self._playback))
        counted = {stamp for stamp in sent if stamp >= sent[0] + SETTLING_S * 1e9}
        arrays = read_arrays(self._playback.recording)
        return replace(self.so_far(), seconds=(sent[-1] - sent[0]) * 1e-9, sent=len(counted),
                       published=sum(array.stamp_ns in counted for array in arrays), whole=True)

    def so_far(self) -> FloodRun:
        """Return what is known while it is played, or after it was interrupted.

        Arrays are those that the node made, of the images that were due.
        """
        known, tally = _read(self._counts), _read(self._tally)
        seconds = 0.0 if self._began is None else time.monotonic() - self._began
        log = self._folder / 'logs' / 'tracker_node.log'
        of_model = {name: known.get(name, 0) for name in (
            'settled_turns', 'settled_s', 'guest_turns', 'guest_s', 'model_cpu_s', 'node_cpu_s')}
        return FloodRun(
            seconds=seconds, sent=round(seconds * RATE_HZ), published=int(known.get('arrays', 0)),
            own_answers=int(known.get('answers', {}).get(OWN_ID, 0)), peak_mib=self._peak_mib,
            log_mib=log.stat().st_size / (1 << 20) if log.exists() else 0.0, tally=tally,
            whole=False, **of_model)


def _read(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding='utf-8')))
    except (OSError, ValueError):
        return {}
