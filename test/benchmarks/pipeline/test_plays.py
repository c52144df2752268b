"""What a robot sees of a recorded play: ages by looks, the newest array, streaming scores."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='recordings need the bag extra')

from rtrack_ros.benchmarks.cost.memory import Usage
from rtrack_ros.benchmarks.pipeline import plays
from rtrack_ros.benchmarks.pipeline.plays import newest_at, robot_ages
from rtrack_ros.benchmarks.pipeline.processor_share import ShareReport
from rtrack_ros.benchmarks.pipeline.scenes import PlayedScene
from rtrack_ros.data.bag import RGB_TOPIC
from rtrack_ros.data.mot import MotRow
from rtrack_ros.data.recording import RecordedArray, RecordedStatus
from rtrack_ros.data.truth import SceneTruth, TruthFrame
from rtrack_ros.evaluation.run import RunQuery
from rtrack_ros.playback import outcome
from rtrack_ros.playback.play import Playback
from rtrack_ros.simulation import Expression, ObjectTruth

MS = 1_000_000
SHARE = ShareReport('cgroup v2', 0.4, 0.39)


def test_an_array_grows_old_until_the_next_one_is_there():
    # Stamps every 40 ms, each published 15 ms later, looked at every 10 ms from 95 ms on.
    arrays = [(stamp * MS, (stamp + 15) * MS) for stamp in range(0, 200, 40)]
    assert robot_ages(arrays, 95 * MS, 135 * MS).tolist() == [15, 25, 35, 45, 15]


def test_an_array_of_an_older_image_does_not_make_the_newest_one_old():
    arrays = [(100 * MS, 110 * MS), (60 * MS, 120 * MS)]
    assert robot_ages(arrays, 110 * MS, 130 * MS).tolist() == [10, 20, 30]
    assert newest_at(arrays, [0, 110 * MS, 125 * MS]).tolist() == [-1, 0, 0]


def test_without_arrays_there_is_no_age_and_no_look_before_the_first():
    assert len(robot_ages([], 0, 1000 * MS)) == 0
    assert robot_ages([(0, 500 * MS)], 0, 520 * MS).tolist() == [500, 510, 520]


def box(x: float) -> tuple[float, float, float, float]:
    return (x, 10.0, x + 100.0, 200.0)


def scene(tmp_path: Path, places: list[float]) -> PlayedScene:
    """One object that is at a place in each frame of 100 ms."""
    frames = tuple(TruthFrame(index * 100 * MS, 'day', (ObjectTruth(1, 'person', box(x), 1.0),))
                   for index, x in enumerate(places))
    truth = SceneTruth(10, frames, (Expression('it', 'class', (frozenset({1}),) * len(frames)),))
    return PlayedScene(tmp_path, 1.0, (RunQuery('it', 0.0),), truth, {})


def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrays: list[RecordedArray],
             shown: PlayedScene) -> Playback:
    start = 10_000 * MS
    stamps = [[frame.stamp_ns, start + frame.stamp_ns] for frame in shown.truth.frames]
    (tmp_path / 'stamps.json').write_text(json.dumps({RGB_TOPIC: stamps}))
    said = RecordedStatus(start + 2000 * MS, 7, None, 80.0, 'openvino', 'nano', 0, 4, 12.5)
    for module in (plays, outcome):
        monkeypatch.setattr(module, 'read_arrays', lambda path: arrays)
        monkeypatch.setattr(module, 'read_statuses', lambda path: [said])
    return Playback(shown.bag, 1.0, shown.queries, tmp_path, {})


def published(index: int, x: float, late_ms: int) -> RecordedArray:
    stamp = (10_000 + 100 * index) * MS
    return RecordedArray(stamp, stamp + late_ms * MS, (MotRow(1, 1, box(x)),), ('it',))


def test_boxes_count_at_the_instant_at_which_they_are_the_newest(tmp_path, monkeypatch):
    pytest.importorskip('trackeval', reason='scores need the eval extra')
    still = scene(tmp_path, [50.0] * 30)
    # Right at the stamp, and a second late: nothing else than a still object hides that.
    moving = scene(tmp_path, [50.0 + 20 * index for index in range(30)])
    for shown, expected in ((still, 200 / 3), (moving, 0.0)):
        arrays = [published(index, shown.truth.frames[index].objects[0].box[0], 1000)
                  for index in range(30)]
        playback = finished(tmp_path, monkeypatch, arrays, shown)
        score = plays.streaming_hota(playback, shown, arrays)
        # Nothing is known in the first second, a third of the time: detection and association
        # are two thirds.
        assert score == pytest.approx(expected)


def test_a_play_says_what_was_lost_how_late_and_how_much_was_used(tmp_path, monkeypatch):
    pytest.importorskip('trackeval', reason='scores need the eval extra')
    shown = scene(tmp_path, [50.0] * 31)
    arrays = [published(index, 50.0, 20) for index in range(31) if index != 20]
    playback = finished(tmp_path, monkeypatch, arrays, shown)
    monkeypatch.setattr(plays, 'cores', lambda: 2)
    usage = [Usage(0.0, 100.0, 1.0), Usage(2.0, 100.0, 2.2)]
    result = plays._result(playback, shown, 'ours', SHARE, usage, False)
    # The first second, ten images, is not counted.
    assert (result.sent, result.published) == (21, 20)
    assert result.delay_ms(99) == pytest.approx(20) and result.delay_ms(100) == pytest.approx(20)
    assert result.age_ms(100) == pytest.approx(210, abs=10.1)
    assert result.used == pytest.approx(0.3)
    assert (result.superseded, result.behind_ms, result.answer_ms) == (4, 12.5, 80.0)
    assert result.hota is not None and result.hota > 90

    stopped = plays._result(playback, shown, 'ours', SHARE, usage, True)
    assert stopped.interrupted and stopped.hota is None and stopped.sent == stopped.published
    assert np.array_equal(stopped.ages_ms, result.ages_ms)
