"""Recordings of simulated scenes: order, faults, truth, and pictures that survive."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='bags need the bag extra')

from rosbags.rosbag2 import StoragePlugin, Writer

from rtrack_ros.data.bag import (
    IMAGE_TYPE,
    RGB_TOPIC,
    THERMAL_TOPIC,
    image_types,
    open_bag,
    read_pairs,
)
from rtrack_ros.data.bag_writing import START_NS, ImageBagWriter
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.data.truth import SceneTruth
from rtrack_ros.data.videos import open_pairs
from rtrack_ros.simulation import Scene, SimFrame, make_scene

Record = Callable[..., SceneTruth]


@pytest.fixture(scope='module')
def scene() -> Scene:
    return make_scene(5, seconds=1.0, place='yard', conditions=('day', 'night'), fps=20,
                      size=(160, 120), thermal_size=(80, 60))


@pytest.fixture(scope='module')
def frames(scene: Scene) -> list[SimFrame]:
    return list(scene)


@pytest.fixture
def record(scene: Scene, frames: list[SimFrame], tmp_path: Path) -> Record:
    """Writes the scene as tmp_path/bag, with the given faults."""
    return partial(write_bag, tmp_path / 'bag', scene, frames=frames)


def stamps(path: Path, topic: str) -> list[int]:
    with open_bag(path) as reader:
        chosen = [item for item in reader.connections if item.topic == topic]
        return [time_ns for _, time_ns, _ in reader.messages(chosen)]


def test_a_scene_comes_back_frame_by_frame(record: Record, frames: list[SimFrame],
                                           tmp_path: Path) -> None:
    truth = record()
    pairs = open_pairs(tmp_path / 'bag')
    found = list(pairs)
    assert len(pairs) == len(found) == len(frames)
    assert pairs.fps == pytest.approx(20, rel=0.01)
    for pair, frame, known in zip(found, frames, truth.frames, strict=True):
        assert pair.stamp_ns == known.stamp_ns == START_NS + frame.stamp_ns
        assert np.array_equal(pair.rgb, frame.rgb)
        assert pair.thermal is not None and pair.thermal.shape == (120, 160)
        assert known.condition == frame.condition


def test_truth_beside_the_bag_survives(record: Record, scene: Scene,
                                       tmp_path: Path) -> None:
    truth = record()
    loaded = SceneTruth.load(tmp_path / 'bag' / 'truth')
    assert loaded == truth
    assert [item.text for item in loaded.expressions] == [item.text for item in scene.expressions]
    expression = loaded.expressions[0]
    rows = loaded.rows(expression, range(3, 6))
    assert {(row.frame, row.id) for row in rows} == {
        (index - 2, number) for index in range(3, 6) for number in scene.expressions[0].ids[index]}


def test_dropped_thermal_leaves_rgb_alone_for_the_span(record: Record, tmp_path: Path) -> None:
    record(drop_thermal=[(0.3, 0.7)])
    alone = [(pair.stamp_ns - START_NS) * 1e-9 for pair in read_pairs(tmp_path / 'bag')
             if not pair.thermal_fresh]
    assert alone == pytest.approx([0.3 + 0.05 * step for step in range(8)])


def test_dropped_rgb_frames_are_missing_from_the_truth_too(record: Record, tmp_path: Path) -> None:
    truth = record(drop_rgb=[(0.0, 0.2)])
    assert len(truth.frames) == 20 - 4
    assert all(len(item.ids) == len(truth.frames) for item in truth.expressions)
    assert [pair.stamp_ns for pair in read_pairs(tmp_path / 'bag')] == [
        frame.stamp_ns for frame in truth.frames]


@pytest.mark.parametrize('offset_ms', [-70.0, 12.0, 130.0])
def test_offset_and_jitter_keep_the_recording_in_order(record: Record, tmp_path: Path,
                                                       offset_ms: float) -> None:
    record(jitter_ms=8.0, offset_ms=offset_ms)
    rgb, thermal = stamps(tmp_path / 'bag', RGB_TOPIC), stamps(tmp_path / 'bag', THERMAL_TOPIC)
    assert rgb == sorted(rgb) and thermal == sorted(thermal)
    assert len(set(np.diff(rgb))) > 1
    lag = np.mean(np.subtract(thermal, rgb)) * 1e-6
    assert lag == pytest.approx(offset_ms, abs=8)


def test_a_slow_thermal_camera(record: Record, tmp_path: Path) -> None:
    record(thermal_every=4)
    assert len(stamps(tmp_path / 'bag', THERMAL_TOPIC)) == 5


def test_topics_carry_a_camera_profile_and_types(record: Record, tmp_path: Path) -> None:
    record()
    with open_bag(tmp_path / 'bag') as reader:
        for connection in reader.connections:
            [profile] = connection.ext.offered_qos_profiles
            assert profile.reliability.name == 'RELIABLE'
            assert connection.digest.startswith('RIHS01_d31d41a9')
            assert 'uint8[] data' in connection.msgdef.data


def test_images_recorded_twice_do_not_use_up_the_wait_for_the_thermal_camera(
        tmp_path: Path) -> None:
    grey = np.arange(24 * 32, dtype=np.uint8).reshape(24, 32)
    with ImageBagWriter(tmp_path / 'bag') as writer:
        for _ in range(20):
            writer.write_rgb(START_NS, np.repeat(grey[:, :, None], 3, axis=2))
        writer.write_thermal(START_NS + 1_000_000, grey)
    [pair] = read_pairs(tmp_path / 'bag')
    assert pair.stamp_ns == START_NS and pair.thermal is not None


def test_bad_requests_name_the_remedy(record: Record, tmp_path: Path) -> None:
    with pytest.raises(DataError, match='stay below 25'):
        record(jitter_ms=25)
    record()
    with pytest.raises(DataError, match='exists'):
        record()
    with pytest.raises(DataError, match='no images on /left'):
        read_pairs(tmp_path / 'bag', rgb_topic='/left')
    with pytest.raises(DataError, match='cannot open'):
        read_pairs(tmp_path / 'none.mcap')


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    types = image_types()
    message = types.types[IMAGE_TYPE](
        header=types.types['std_msgs/msg/Header'](
            stamp=types.types['builtin_interfaces/msg/Time'](sec=1, nanosec=0), frame_id=''),
        height=2, width=2, encoding='bayer_rggb8', is_bigendian=0, step=2,
        data=np.zeros(4, np.uint8))
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(RGB_TOPIC, IMAGE_TYPE, typestore=types)
        writer.write(connection, 1, types.serialize_cdr(message, IMAGE_TYPE))
    with pytest.raises(DataError, match='bayer_rggb8'):
        list(read_pairs(tmp_path / 'bag'))
