"""The two ways that the cost benchmark times do what they are timed for."""

import sys
from functools import partial
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from vision_msgs.msg import Detection2DArray

from rtrack_ros.benchmarks.cost.benchmark import Clip, measure_cells
from rtrack_ros.benchmarks.cost.pair_cost import STAGES, measure_path
from rtrack_ros.benchmarks.cost.pair_paths import CommonPath, NodePath
from rtrack_ros.benchmarks.cost.stage_clock import StageClock
from rtrack_ros.benchmarks.cost.workload import AnswerScript, Workload
from rtrack_ros.boxes import iou

SIZE = (320, 240)
FRAMES = 24


@pytest.fixture(scope='module')
def clip() -> Clip:
    return Clip(SIZE, FRAMES, 3)


class OneByOne:
    """Stands in for ByteTrack of ``trackers``: the n-th detection has identity n."""

    def __init__(self, **_: int) -> None:
        pass

    def update(self, detections: SimpleNamespace, timestamp: float) -> SimpleNamespace:
        detections.tracker_id = np.arange(len(detections.xyxy))
        return detections


@pytest.fixture
def trackers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the benchmark testable where the package ``trackers`` is not installed."""
    for name, content in (('trackers', {'ByteTrackTracker': OneByOne}),
                          ('supervision', {'Detections': SimpleNamespace})):
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


def boxes_of(data: bytes | None) -> np.ndarray:
    assert data is not None
    array = deserialize_message(data, Detection2DArray)
    return np.array([(box.center.position.x - box.size_x / 2,
                      box.center.position.y - box.size_y / 2,
                      box.center.position.x + box.size_x / 2,
                      box.center.position.y + box.size_y / 2)
                     for box in (detection.bbox for detection in array.detections)])


def test_the_way_of_the_node_follows_the_planted_objects(clip: Clip) -> None:
    script = AnswerScript(clip.frames, Workload(SIZE, 3, 2))
    path = NodePath(script.queries, StageClock())
    arrays = []
    for index, pair in enumerate(clip.pairs):
        arrays.append(path.process(pair, ()))
        for answer in script.due(index):
            path.apply(answer)
    assert path.alive() == 3
    overlap = iou(boxes_of(arrays[10]), script.boxes(10))
    assert overlap.shape == (3, 3) and (overlap.max(axis=0) > 0.5).all()


def test_every_stage_of_the_node_takes_time(clip: Clip) -> None:
    script = AnswerScript(clip.frames, Workload(SIZE, 3, 1))
    cost = measure_path(partial(NodePath, script.queries), clip.pairs, script, warm_up=4)
    assert (cost.pairs, cost.tracks) == (FRAMES - 4, 3)
    assert set(cost.stages) == set(STAGES)
    spent = {name: cost.stages[name].p50 for name in STAGES}
    # Each does work by far above the clock's resolution, and nothing big hides in the rest.
    assert all(spent[name] > 0.01 for name in STAGES if name != 'other')
    assert spent['other'] < 0.1 * sum(spent.values())
    assert cost.total.p50 <= cost.total.p95
    with pytest.raises(ValueError, match='nothing to count'):
        measure_path(partial(NodePath, script.queries), clip.pairs[:4], script, warm_up=4)


def test_the_common_way_gives_every_detection_an_identity(clip: Clip, trackers: None) -> None:
    script = AnswerScript(clip.frames, Workload(SIZE, 3, 1))
    path = CommonPath(StageClock())
    array = path.process(clip.pairs[5], script.boxes(5))
    assert np.allclose(boxes_of(array), script.boxes(5))
    assert path.alive() == 3


def test_the_common_way_is_measured_with_as_many_tracks_as_ours(clip: Clip) -> None:
    pytest.importorskip('trackers', reason='the baseline needs the bytetrack extra')
    script = AnswerScript(clip.frames, Workload(SIZE, 3, 1))
    cost = measure_path(CommonPath, clip.pairs, script, warm_up=4)
    assert cost.tracks == 3
    assert all(cost.stages[name].p50 > 0 for name in ('receive', 'intake', 'tracking', 'publish'))
    assert cost.stages['flow'].p50 == cost.stages['siamese'].p50 == 0


def test_without_trackers_only_the_common_way_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'trackers', None)
    cell, = measure_cells([SIZE], [2], [1], FRAMES)
    assert cell.common is None and cell.ours.tracks == 2
