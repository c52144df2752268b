"""``rtrack track`` on a simulated scene, with an engine that knows the truth."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import yaml

pytest.importorskip('rosbags', reason='bags need the bag extra')
pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.cli import main
from rtrack_ros.data.mot import MotWriter, read_mot
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.data.truth import SceneTruth
from rtrack_ros.engines.base import EngineError, Prompt
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.evaluation.metrics.hota import evaluate_tracks
from rtrack_ros.evaluation.sequences import by_frame
from rtrack_ros.frames import Image8
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.language.grammar import render_answer
from rtrack_ros.output_files import OutputError
from rtrack_ros.simulation import make_scene


class Oracle:
    """Answers with the boxes that the sentence means, found by the picture it is shown."""

    def __init__(self, truth: SceneTruth, pictures: Sequence[Image8], text: str) -> None:
        self.truth, self.pictures, self.expression = truth, pictures, truth.expression(text)
        self.asked: list[int] = []

    def __call__(self, images: Sequence[Image8], prompt: Prompt) -> str:
        index = next(number for number, picture in enumerate(self.pictures)
                     if np.array_equal(picture, images[0]))
        self.asked.append(index)
        rows = self.truth.rows(self.expression, [index])
        return render_answer([(model_from_pixels(row.box, 'rel1000', (320, 240), (320, 240)),
                               'person') for row in rows])


@pytest.fixture(scope='module')
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Oracle]:
    scene = make_scene(7, seconds=3.0, place='yard', conditions=('day',), fps=15,
                       size=(320, 240), thermal_size=(160, 120))
    frames = list(scene)
    path = tmp_path_factory.mktemp('track') / 'bag'
    truth = write_bag(path, scene, frames=frames)
    return path, Oracle(truth, [frame.rgb for frame in frames], 'all people')


@pytest.fixture
def with_oracle(monkeypatch: pytest.MonkeyPatch, recorded: tuple[Path, Oracle]) -> Oracle:
    oracle = recorded[1]
    oracle.asked.clear()
    monkeypatch.setattr('rtrack_ros.engines.registry.default_model', lambda: Path('none'))
    monkeypatch.setattr('rtrack_ros.engines.registry.load_engine',
                        lambda name, model: ScriptedEngine(oracle))
    return oracle


def test_a_knowing_model_is_followed_well_between_its_answers(
        recorded: tuple[Path, Oracle], with_oracle: Oracle, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    out, overlay = tmp_path / 'tracks.txt', tmp_path / 'o.mp4'
    assert main(['track', '--rgb', str(recorded[0]), '--query', 'all people', '--out', str(out),
                 '--overlay', str(overlay), '--ask-interval', '0.4']) == 0
    assert with_oracle.asked == list(range(0, 45, 6))
    truth = by_frame(with_oracle.truth.rows(with_oracle.expression))
    scores = evaluate_tracks(truth, read_mot(out), 45)
    assert scores.hota > 55 and scores.idf1 > 70
    capture = cv2.VideoCapture(str(overlay))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 45
    assert '45 frames' in capsys.readouterr().out


def test_detections_of_a_file_hold_the_boxes_between_answers(
        recorded: tuple[Path, Oracle], with_oracle: Oracle, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    rows = with_oracle.truth.rows(with_oracle.expression)
    # Of the thermal image, which is half as large.
    lines = [f'{row.frame},-1,' + ','.join(f'{value / 2:.2f}' for value in (
        row.box[0], row.box[1], row.box[2] - row.box[0], row.box[3] - row.box[1])) + ',0.9'
        for row in rows]
    seen = tmp_path / 'det.txt'
    seen.write_text('\n'.join([*lines, '2,-1,nan,0,5,5,0.5']) + '\n')
    command = ['track', '--rgb', str(recorded[0]), '--query', 'all people',
               '--ask-interval', '1.4']
    given = ['--detections', str(seen), '--detections-spectrum', 'thermal']
    scores = []
    for name, options in (('alone', []), ('both', [*given, '--detections-size', '160x120'])):
        out = tmp_path / f'{name}.txt'
        assert main([*command, '--out', str(out), *options]) == 0
        scores.append(evaluate_tracks(by_frame(rows), read_mot(out), 45).hota)
    assert scores[1] > scores[0] + 3
    said = capsys.readouterr().out
    assert f'{len(rows)} detections used' in said and '1 were no boxes' in said
    assert main([*command, '--out', str(tmp_path / 'x.txt'), *given]) == 2
    assert '--detections-size' in capsys.readouterr().err


def test_a_target_is_followed_from_a_box(recorded: tuple[Path, Oracle], tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str],
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    truth = by_frame(recorded[1].truth.rows(recorded[1].expression))
    first = max(truth[1], key=lambda row: row.box[3] - row.box[1])
    monkeypatch.setattr('rtrack_ros.engines.registry.default_model', lambda: Path('none'))
    # In the window about a box the target is in the middle, a quarter of it long.
    monkeypatch.setattr('rtrack_ros.engines.registry.load_engine', lambda name, model:
                        ScriptedEngine(['[{"bbox_2d": [400, 330, 600, 670], "label": "person"}]']))
    command = ['track', '--rgb', str(recorded[0]), '--out', str(tmp_path / 't.txt'), '--box']
    assert main([*command, *(f'{edge:.1f}' for edge in first.box)]) == 0
    rows = read_mot(tmp_path / 't.txt')
    assert rows[1][0].box == pytest.approx(first.box, abs=0.1)
    assert set(range(1, 8)) <= rows.keys() and {row.id for row in rows[7]} == {rows[1][0].id}
    assert main([*command, '50', '50', '40', '90']) == 2
    assert 'x1 < x2' in capsys.readouterr().err


def test_the_same_command_gives_the_same_tracks(recorded: tuple[Path, Oracle],
                                                with_oracle: Oracle, tmp_path: Path) -> None:
    for name in ('a', 'b'):
        assert main(['track', '--rgb', str(recorded[0]), '--query', 'all people', '--out',
                     str(tmp_path / name)]) == 0
    assert (tmp_path / 'a').read_text() == (tmp_path / 'b').read_text()


def test_two_sentences_share_identities_and_have_a_file_each(
        recorded: tuple[Path, Oracle], with_oracle: Oracle, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'tracks.txt'
    assert main(['track', '--rgb', str(recorded[0]), '--query', 'all people', '--query',
                 'everybody', '--out', str(out)]) == 0
    whole, first, second = (read_mot(tmp_path / name) for name in
                            ('tracks.txt', 'tracks_1.txt', 'tracks_2.txt'))
    ids = [{row.id for rows in file.values() for row in rows} for file in (whole, first, second)]
    assert ids[0] == ids[1] == ids[2], 'one identity for each object, not for each sentence'
    assert all(len({row.id for row in rows}) == len(rows) for rows in whole.values())
    assert 'tracks_2.txt' in capsys.readouterr().out


def test_no_output_of_a_sentence_replaces_what_is_read(
        recorded: tuple[Path, Oracle], with_oracle: Oracle, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    boxes = tmp_path / 'tracks_2.txt'
    boxes.write_text('1,-1,10,10,20,20,0.9\n')
    assert main(['track', '--rgb', str(recorded[0]), '--query', 'a', '--query', 'b',
                 '--detections', str(boxes), '--out', str(tmp_path / 'tracks.txt')]) != 0
    assert boxes.read_text() == '1,-1,10,10,20,20,0.9\n'


def test_realtime_paces_the_frames_and_still_tracks(
        recorded: tuple[Path, Oracle], with_oracle: Oracle, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    clock = SimpleNamespace(sleep=slept.append, monotonic=lambda: 100.0, perf_counter=lambda: 0.0)
    monkeypatch.setattr('rtrack_ros.commands.track.time', clock)
    monkeypatch.setattr('rtrack_ros.commands.track.following.time', clock)
    assert main(['track', '--rgb', str(recorded[0]), '--query', 'all people', '--out',
                 str(tmp_path / 't'), '--realtime']) == 0
    assert slept == pytest.approx([index / 15 for index in range(1, 45)])


@pytest.mark.parametrize('query, reason', [(' \x00 ', 'empty'), ('x' * 2001, 'at most 2000')])
def test_sentences_that_cannot_be_asked(recorded: tuple[Path, Oracle], with_oracle: Oracle,
                                        tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                        query: str, reason: str) -> None:
    assert main(['track', '--rgb', str(recorded[0]), '--query', query, '--out',
                 str(tmp_path / 't')]) == 2
    assert reason in capsys.readouterr().err


def test_failing_questions_are_reported_and_the_file_is_read_to_its_end(
        recorded: tuple[Path, Oracle], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    def fail(images: Sequence[Image8], prompt: Prompt) -> str:
        raise EngineError('out of memory; use a smaller model')

    monkeypatch.setattr('rtrack_ros.engines.registry.default_model', lambda: Path('none'))
    monkeypatch.setattr('rtrack_ros.engines.registry.load_engine',
                        lambda name, model: ScriptedEngine(fail))
    assert main(['track', '--rgb', str(recorded[0]), '--query', 'x', '--out',
                 str(tmp_path / 't')]) == 1
    shown = capsys.readouterr().out
    assert 'questions failed' in shown and 'out of memory' in shown
    assert (tmp_path / 't').read_text() == ''


def test_interruption_finishes_the_files_and_says_so(
        recorded: tuple[Path, Oracle], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    oracle = recorded[1]

    def until_interrupted(images: Sequence[Image8], prompt: Prompt) -> str:
        text = oracle(images, prompt)
        if oracle.asked[-1] >= 20:
            raise KeyboardInterrupt
        return text

    oracle.asked.clear()
    monkeypatch.setattr('rtrack_ros.engines.registry.default_model', lambda: Path('none'))
    monkeypatch.setattr('rtrack_ros.engines.registry.load_engine',
                        lambda name, model: ScriptedEngine(until_interrupted))
    out, overlay = tmp_path / 't.txt', tmp_path / 'o.mp4'
    assert main(['track', str(recorded[0]), '--query', 'all people', '--out', str(out),
                 '--overlay', str(overlay), '--ask-interval', '0.4']) == 130
    assert max(read_mot(out)) in (23, 24), 'asked about image 25, frame 24 was the last'
    assert cv2.VideoCapture(str(overlay)).get(cv2.CAP_PROP_FRAME_COUNT) == 24
    assert 'interrupted: the files hold the 24 frames' in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ['o.mp4', 't.txt']


def test_rows_are_there_while_it_runs_and_after_an_error(
        recorded: tuple[Path, Oracle], with_oracle: Oracle, monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path) -> None:
    def fail_at_30(self: object, rows: object) -> None:
        if len((tmp_path / '.t.part.txt').read_text().splitlines()) > 20:
            raise OutputError('the disk is full')
        write(self, rows)

    write = MotWriter.write
    monkeypatch.setattr(MotWriter, 'write', fail_at_30)
    assert main(['track', str(recorded[0]), '--query', 'all people', '--out',
                 str(tmp_path / 't.txt')]) == 2
    assert sum(map(len, read_mot(tmp_path / 't.txt').values())) > 20


@pytest.mark.parametrize(('out', 'overlay', 'reason'), [
    ('/proc/nowhere/t.txt', 'o.mp4', 'cannot be written'), ('t.txt', 't.txt', 'both name'),
    ('bag/metadata.yaml', 'o.mp4', 'would overwrite the input'), ('.', 'o.mp4', 'is a folder'),
    ('/dev/full', 'o.mp4', 'No space left')])
def test_files_that_cannot_be_written_are_one_line(
        recorded: tuple[Path, Oracle], with_oracle: Oracle, tmp_path: Path,
        capsys: pytest.CaptureFixture[str], out: str, overlay: str, reason: str) -> None:
    shutil.copytree(recorded[0], tmp_path / 'bag')
    before = sorted((path, path.stat().st_size) for path in tmp_path.rglob('*'))
    assert main(['track', str(tmp_path / 'bag'), '--query', 'all people',
                 '--out', str(tmp_path / out), '--overlay', str(tmp_path / overlay)]) == 2
    error = capsys.readouterr().err
    assert reason in error and len(error.strip().splitlines()) == 1
    assert with_oracle.asked == [] or out == '/dev/full'
    assert sorted((path, path.stat().st_size) for path in tmp_path.rglob('*')
                  if path.name != 'o.mp4') == before


def test_the_overlay_never_replaces_the_video_that_is_read(
        with_oracle: Oracle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = tmp_path / 'mine.mp4'
    video.write_bytes(b'precious')
    (tmp_path / 'link.mp4').symlink_to(video)
    (tmp_path / 'hard.mp4').hardlink_to(video)
    for name in ('mine.mp4', 'link.mp4', 'hard.mp4'):
        assert main(['track', str(video), '--query', 'x', '--out', str(tmp_path / 't'),
                     '--overlay', str(tmp_path / name)]) == 2
        assert 'would overwrite the input' in capsys.readouterr().err
    assert video.read_bytes() == b'precious'


def test_what_was_left_out_is_said_and_too_much_of_it_is_exit_1(
        with_oracle: Oracle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr('rtrack_ros.engines.registry.load_engine',
                        lambda name, model: ScriptedEngine(['[]']))
    (tmp_path / 'rgb').mkdir()
    for index in range(12):
        cv2.imwrite(str(tmp_path / 'rgb' / f'{index}.png'), np.zeros((48, 64, 3), np.uint8))
    (tmp_path / 'rgb' / '8.png').write_bytes(b'\x89PNG')
    command = ['track', str(tmp_path / 'rgb'), '--query', 'x', '--out', str(tmp_path / 't')]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert 'used 11 of 12 images, 1 damaged' in shown and '8.png' in shown
    assert main([*command, '--allow-missing', '5']) == 1
    assert '8% of the images could not be used' in capsys.readouterr().out


def test_a_parameter_file_of_the_node_decides(
        recorded: tuple[Path, Oracle], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / 'script.json'
    script.write_text(json.dumps(['[{"bbox_2d": [300, 300, 500, 700], "label": "person"}]']))
    params = tmp_path / 'tracker.yaml'
    params.write_text(yaml.safe_dump({'/**': {'ros__parameters': {
        'engine.name': 'scripted', 'engine.model': str(script), 'query.initial': 'all people',
        'thermal.homography': [1.0] * 8, 'engine.self_test': 'off'}}}))
    command = ['track', str(recorded[0]), '--params', str(params), '--out', str(tmp_path / 't')]
    assert main(command) == 2
    assert 'nine finite numbers' in capsys.readouterr().err
    params.write_text(params.read_text().replace('thermal.homography', 'thermal.homographie'))
    assert main(command) == 0
    captured = capsys.readouterr()
    assert 'the node knows no thermal.homographie' in captured.err
    rows = read_mot(tmp_path / 't')
    assert min(rows) > 1, 'the node publishes an image before the answer about it'
    assert {row.id for row in rows[20]} == {1}


def test_a_missing_recording_is_one_line(tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['track', '--rgb', str(tmp_path / 'no.mp4'), '--query', 'x', '--out', 't']) == 2
    assert 'there is nothing at' in capsys.readouterr().err
