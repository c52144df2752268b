"""``rtrack track`` on a simulated scene, with an engine that knows the truth."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip('rosbags', reason='bags need the bag extra')
pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.cli import main
from rtrack_ros.data.mot import read_mot
from rtrack_ros.data.scene_bag import write_bag
from rtrack_ros.data.truth import SceneTruth
from rtrack_ros.engines.base import EngineError, Prompt
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.evaluation.metrics.hota import evaluate_tracks
from rtrack_ros.evaluation.sequences import by_frame
from rtrack_ros.frames import Image8
from rtrack_ros.language.coordinates import model_from_pixels
from rtrack_ros.language.grammar import render_answer
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


def test_realtime_paces_the_frames_and_still_tracks(
        recorded: tuple[Path, Oracle], with_oracle: Oracle, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    clock = SimpleNamespace(sleep=slept.append, monotonic=lambda: 100.0, perf_counter=lambda: 0.0)
    monkeypatch.setattr('rtrack_ros.commands.track.time', clock)
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
                 str(tmp_path / 't')]) == 0
    shown = capsys.readouterr().out
    assert 'questions failed' in shown and 'out of memory' in shown
    assert (tmp_path / 't').read_text() == ''


def test_a_missing_recording_is_one_line(tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['track', '--rgb', str(tmp_path / 'no.mp4'), '--query', 'x', '--out', 't']) == 2
    assert 'there is nothing at' in capsys.readouterr().err
