"""``rtrack evaluate --tracks BAG``: what a node published becomes a score."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')
pytest.importorskip('rosbags', reason='bags need the bag extra')

from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_types_from_msg

from rtrack_ros.cli import main
from rtrack_ros.data.bag import image_types
from rtrack_ros.data.bag_writing import START_NS, ImageBagWriter
from rtrack_ros.data.mot import MotRow, write_mot
from rtrack_ros.data.truth import SceneTruth, TruthFrame
from rtrack_ros.simulation import Expression, ObjectTruth

STEP = 33_000_000
FRAMES = 20
SPEED = 4.0
KIND = 'vision_msgs/msg/Detection2DArray'
PARTS = {
    KIND: 'std_msgs/Header header\nDetection2D[] detections\n',
    'vision_msgs/msg/Detection2D': 'std_msgs/Header header\nObjectHypothesisWithPose[] results\n'
                                   'BoundingBox2D bbox\nstring id\n',
    'vision_msgs/msg/BoundingBox2D': 'Pose2D center\nfloat64 size_x\nfloat64 size_y\n',
    'vision_msgs/msg/Pose2D': 'Point2D position\nfloat64 theta\n',
    'vision_msgs/msg/Point2D': 'float64 x\nfloat64 y\n',
    'vision_msgs/msg/ObjectHypothesisWithPose': 'ObjectHypothesis hypothesis\n',
    'vision_msgs/msg/ObjectHypothesis': 'string class_id\nfloat64 score\n'}
Publish = Callable[..., Path]


def box(index: int) -> tuple[float, float, float, float]:
    return (10 + SPEED * index, 20.0, 40 + SPEED * index, 90.0)


def stamp(index: int) -> int:
    return START_NS + index * STEP


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    """Writes a recording of arrays: (stamp, arrival, boxes of the walker by sentence)."""
    types = image_types()
    for name, text in PARTS.items():
        types.register(get_types_from_msg(text, name))
    kinds = types.types

    def header(stamp_ns: int) -> object:
        return kinds['std_msgs/msg/Header'](kinds['builtin_interfaces/msg/Time'](
            stamp_ns // 10**9, stamp_ns % 10**9), 'rgb')

    def detection(area: Sequence[float], sentence: str, stamp_ns: int) -> object:
        of = 'vision_msgs/msg/'
        x1, y1, x2, y2 = area
        return kinds[of + 'Detection2D'](
            header(stamp_ns), [kinds[of + 'ObjectHypothesisWithPose'](
                kinds[of + 'ObjectHypothesis'](sentence, 0.9))],
            kinds[of + 'BoundingBox2D'](kinds[of + 'Pose2D'](kinds[of + 'Point2D'](
                (x1 + x2) / 2, (y1 + y2) / 2), 0.0), x2 - x1, y2 - y1), '1')

    def write(arrays: Sequence[tuple[int, int, dict[str, Sequence[float]]]],
              topic: str = '/tracks') -> Path:
        path = tmp_path / 'recording'
        with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
            connection = writer.add_connection(topic, KIND, typestore=types)
            for stamp_ns, logged_ns, boxes in arrays:
                message = kinds[KIND](header(stamp_ns), [
                    detection(area, sentence, stamp_ns) for sentence, area in boxes.items()])
                writer.write(connection, logged_ns, types.serialize_cdr(message, KIND))
        return path
    return write


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    write_mot(tmp_path / 'gt.txt', [MotRow(index + 1, 7, box(index)) for index in range(FRAMES)])
    return tmp_path / 'gt.txt'


def perfect(late_ns: int = 10_000_000, shift_ns: int = 0, clock_ns: int = 0
            ) -> list[tuple[int, int, dict[str, Sequence[float]]]]:
    return [(stamp(index) + shift_ns, stamp(index) + shift_ns + clock_ns + late_ns,
             {'the walker': box(index)}) for index in range(FRAMES)]


def evaluate(*arguments: object, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(['evaluate', *map(str, arguments), '--json', '-']) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize('topic', ['', ':/tracks'])
def test_arrays_are_joined_by_stamp_and_streamed_by_arrival(
        publish: Publish, truth: Path, capsys: pytest.CaptureFixture[str], topic: str) -> None:
    recording = publish(perfect(late_ns=40_000_000))
    figures = evaluate('--tracks', f'{recording}{topic}', '--truth', truth, capsys=capsys)
    assert (figures['images'], figures['answered'], figures['foreign_arrays']) == (20, 20, 0)
    assert figures['by stamp']['hota'] == pytest.approx(100)
    # 40 ms late at an image in 33 ms: what is there is of two images ago, at first nothing.
    assert figures['streaming']['presence']['recall'] == pytest.approx(90, abs=0.1)
    overlap = (30 - 2 * SPEED) / (30 + 2 * SPEED)
    thresholds = sum(overlap >= 0.05 * step for step in range(1, 20))
    assert figures['streaming']['deta'] == pytest.approx(90 * thresholds / 19, abs=0.1)
    assert figures['latency_ms_p50'] == 40


def test_images_without_an_array_count_as_nothing_found(
        publish: Publish, truth: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = publish(perfect()[::2])
    # Without the images, the n-th array would be taken for that of frame n.
    with ImageBagWriter(truth.parent / 'images') as writer:
        for index in range(FRAMES):
            writer.write_rgb(stamp(index), np.zeros((24, 32, 3), np.uint8))
    figures = evaluate('--tracks', recording, '--truth', truth, '--rgb', truth.parent / 'images',
                       capsys=capsys)
    assert figures['answered'] == 10
    assert figures['by stamp']['presence']['recall'] == 50
    # The newest array is still there at the next image.
    assert figures['streaming']['presence']['recall'] == pytest.approx(95, abs=0.1)


def test_a_recording_that_was_played_again_is_scored_by_its_stamps(
        publish: Publish, truth: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = publish(perfect(clock_ns=10**17))
    assert main(['evaluate', '--tracks', str(recording), '--truth', str(truth)]) == 0
    shown = capsys.readouterr().out
    assert 'no streaming score' in shown and '--restamp' in shown and 'by stamp' in shown


def test_new_stamps_are_translated_by_the_map_of_the_player(
        publish: Publish, truth: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = 10**17
    recording = publish(perfect(shift_ns=later))
    scene_truth = truth.parent / 'truth'
    SceneTruth(30.0, tuple(TruthFrame(stamp(index), 'day', (
        ObjectTruth(7, 'person', box(index), 1.0), ObjectTruth(8, 'car', box(index + 3), 1.0)))
        for index in range(FRAMES)), (Expression('the walker', 'class', tuple(
            frozenset({7}) for _ in range(FRAMES))),)).save(scene_truth)
    stamps = truth.parent / 'stamps.json'
    stamps.write_text(json.dumps({'/rgb/image_raw': [
        [stamp(index), stamp(index) + later] for index in range(FRAMES)]}))
    arguments = ['--tracks', recording, '--truth', scene_truth]
    assert main(['evaluate', *map(str, arguments)]) == 2
    assert 'give --stamp-map' in capsys.readouterr().err
    figures = evaluate(*arguments, '--stamp-map', stamps, '--report', truth.parent / 'r.html',
                       capsys=capsys)
    assert figures['by stamp']['hota'] == pytest.approx(100)
    assert figures['streaming']['presence']['recall'] == pytest.approx(95, abs=0.1)
    assert 'the walker' in (truth.parent / 'r.html').read_text()


def test_what_is_not_clear_names_the_choice(publish: Publish, truth: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    both = [(stamp_ns, logged_ns, {**boxes, 'the car': box(0)})
            for stamp_ns, logged_ns, boxes in perfect()]
    recording = publish(both)
    arguments = ['evaluate', '--truth', str(truth), '--tracks']
    assert main([*arguments, str(recording)]) == 2
    assert 'the car; the walker' in capsys.readouterr().err
    assert main([*arguments, str(recording), '--query', 'the walker']) == 0
    assert '100.0' in capsys.readouterr().out
    assert main([*arguments, f'{recording}:/other']) == 2
    assert 'it has them on /tracks' in capsys.readouterr().err
