"""``rtrack track --detections BAG:TOPIC``: what a detector published into the bag."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')
pytest.importorskip('rosbags', reason='bags need the bag extra')

from rtrack_ros.cli import main
from rtrack_ros.data.detection_bag import DetectionMessage
from rtrack_ros.data.mot import read_mot
from rtrack_ros.data.recording import find_detections
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.detections import Detection
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.evaluation.metrics.hota import evaluate_tracks
from rtrack_ros.evaluation.sequences import by_frame
from rtrack_ros.simulation import make_scene

MS = 1_000_000
SCENE = make_scene(5, seconds=2.0, conditions=('day',), fps=20, size=(320, 240),
                   thermal_size=(160, 120))
SENTENCE = 'every person'


@pytest.fixture(autouse=True)
def silent_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that sees nothing: boxes come from the detector alone."""
    monkeypatch.setattr('rtrack_ros.engines.registry.default_model', lambda: Path('none'))
    monkeypatch.setattr('rtrack_ros.engines.registry.load_engine',
                        lambda name, model: ScriptedEngine(['[]']))


def messages(scale: float = 1.0, delay_ms: int = 60) -> list[DetectionMessage]:
    """The truth of every other image, by class; every third message takes longer."""
    made = []
    for frame in SCENE:
        if frame.index % 2 == 0:
            late = delay_ms + 140 * (frame.index % 3 == 0)
            made.append(DetectionMessage(frame.stamp_ns, frame.stamp_ns + late * MS, [
                Detection(tuple(edge * scale for edge in item.box), item.category, 0.9)
                for item in frame.objects]))
    return made


def tracked(folder: Path, given: list[DetectionMessage], *options: str) -> tuple[Path, object]:
    truth = write_bag(folder / 'bag', SCENE, detector=lambda frame: (
        None if frame.index % 2 else given[frame.index // 2]))
    out = folder / 'tracks.txt'
    assert main(['track', str(folder / 'bag'), '--query', SENTENCE, '--ask-interval', '5',
                 '--out', str(out), *options]) == 0
    return out, by_frame(truth.rows(truth.expression(SENTENCE)))


def test_messages_come_late_and_out_of_order_and_hold_the_objects(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = messages()
    assert [item.stamp_ns for item in sorted(given, key=lambda item: item.logged_ns)] \
        != [item.stamp_ns for item in given], 'some overtake others'
    out, truth = tracked(tmp_path, given, '--detections', f'{tmp_path}/bag:/rtrack/detections')
    assert evaluate_tracks(truth, read_mot(out), 40).hota > 55
    arrived = sum(item.logged_ns <= 39 * 50 * MS for item in given)
    assert f'{arrived} messages of detections' in capsys.readouterr().out


def test_the_same_bag_gives_the_same_tracks(tmp_path: Path) -> None:
    first, _ = tracked(tmp_path, messages(), '--detections', str(tmp_path / 'bag'))
    before = first.read_text()
    assert main(['track', str(tmp_path / 'bag'), '--query', SENTENCE, '--ask-interval', '5',
                 '--out', str(first), '--detections', str(tmp_path / 'bag')]) == 0
    assert first.read_text() == before and before


def test_boxes_of_a_resized_image_are_said_and_can_be_told(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, truth = tracked(tmp_path, messages(scale=2.0), '--detections', str(tmp_path / 'bag'))
    assert 'detections.image_size' in capsys.readouterr().out
    wrong = evaluate_tracks(truth, read_mot(out), 40).hota
    assert main(['track', str(tmp_path / 'bag'), '--query', SENTENCE, '--ask-interval', '5',
                 '--out', str(out), '--detections', str(tmp_path / 'bag'), '--detections-size',
                 '640x480']) == 0
    assert evaluate_tracks(truth, read_mot(out), 40).hota > wrong + 20


def test_stamps_of_no_image_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = [replace(item, stamp_ns=item.stamp_ns - 10**12) for item in messages()]
    tracked(tmp_path, lost, '--detections', str(tmp_path / 'bag'))
    assert 'are about no image' in (said := capsys.readouterr().out)
    assert 'let the detector copy the header' in said


def test_a_bag_without_detections_is_an_error(tmp_path: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    write_bag(tmp_path / 'bag', SCENE)
    command = ['track', str(tmp_path / 'bag'), '--query', SENTENCE, '--out',
               str(tmp_path / 't.txt'), '--detections']
    assert find_detections(tmp_path / 'bag') is None
    assert main([*command, str(tmp_path / 'bag')]) == 2
    assert 'name the topic of a detector' in capsys.readouterr().err
    assert main([*command, f'{tmp_path}/bag:/rgb/image_raw']) != 0
    assert 'on /rgb/image_raw' in capsys.readouterr().err
