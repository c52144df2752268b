"""The whole demonstration with real processes, and a scripted model in the node."""

import json
from pathlib import Path

import cv2
import pytest

pytest.importorskip('rclpy', reason='the demonstration needs ROS 2')
pytest.importorskip('rosbags', reason='the demonstration needs the bag extra')
pytest.importorskip('trackeval', reason='the demonstration needs the eval extra')

from rtrack_ros.cli import main
from rtrack_ros.data.recording import read_arrays, read_statuses

pytestmark = pytest.mark.system


@pytest.fixture(scope='module')
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('script') / 'answers.json'
    path.write_text(json.dumps(['[{"bbox_2d": [300, 400, 360, 700], "label": "person"}]']))
    return path


def test_a_short_demonstration_leaves_everything_it_promises(
        answers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'demo'
    assert main(['demo', '--out', str(out), '--seconds', '3', '--engine', 'scripted', '--model',
                 str(answers)]) == 0
    metrics = json.loads((out / 'metrics.json').read_text())
    assert metrics['pairs_in'] == 90
    # How many of them arrive is a matter of the machine; that they count is tested here.
    assert 20 <= metrics['arrays_out'] <= 90
    assert metrics['answers'] > 0 and metrics['stamp_to_publish_ms_p50'] > 0
    assert metrics['by_condition'].keys() == {'day', 'night', 'smoke'}
    assert len(metrics['by_query']) == 3
    capture = cv2.VideoCapture(str(out / 'overlay.mp4'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 90
    assert '<h1>' in (out / 'report.html').read_text()
    assert {'bag_player.log', 'bag_recorder.log', 'tracker_node.log'} <= {
        path.name for path in (out / 'logs').iterdir()}
    shown = capsys.readouterr().out
    assert 'report.html' in shown and 'HOTA' in shown


def test_a_node_that_cannot_start_names_its_log_and_is_not_left_behind(
        tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('rtrack_ros.playback.play.START_TIMEOUT_S', 8.0)
    assert main(['demo', '--out', str(tmp_path), '--seconds', '1', '--engine', 'scripted',
                 '--model', str(tmp_path / 'missing.json')]) == 2
    shown = capsys.readouterr().err
    assert 'tracker_node.log' in shown and shown.count('\n') == 1


def test_without_a_sourced_workspace_the_remedy_is_named(
        tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    assert main(['demo', '--out', str(tmp_path / 'x')]) == 2
    assert 'make demo' in capsys.readouterr().err
    assert not (tmp_path / 'x').exists()


def test_recordings_say_when_and_for_what_each_box_was_published(
        answers: Path, tmp_path: Path) -> None:
    video = tmp_path / 'rgb.mp4'
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*'mp4v'), 20, (160, 120))
    for grey in range(40):
        writer.write((cv2.UMat(120, 160, cv2.CV_8UC3).get() * 0 + grey).astype('uint8'))
    writer.release()
    out = tmp_path / 'demo'
    assert main(['demo', '--out', str(out), '--rgb', str(video), '--query', 'the red boat',
                 '--engine', 'scripted', '--model', str(answers)]) == 0
    arrays = read_arrays(out / 'recording')
    assert 10 <= len(arrays) <= 40
    assert {text for array in arrays for text in array.sentences} == {'the red boat'}
    assert all(0 < array.logged_ns - array.stamp_ns < 10_000_000_000 for array in arrays)
    assert read_statuses(out / 'recording')[-1].answers > 0
    assert json.loads((out / 'metrics.json').read_text())['hota'] is None
