"""Scores over whole sets, on the executed example of the protocol, and what the command says."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from rtrack_ros.cli import main
from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.mot import MotRow, read_mot, write_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.engines.base import Prompt
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.evaluation.sets.scores import score_set
from rtrack_ros.evaluation.sets.tracking import track_set
from rtrack_ros.language.grounder import Grounder

pytest.importorskip('trackeval')
Box = tuple[float, float, float, float]


def at(x: float) -> Box:
    return (x, 10, x + 20, 40)


def sequence(name: str, boxes: list[dict[int, Box]], condition: str) -> AnnotatedSequence:
    frames = tuple(AnnotatedFrame(index * 33_000_000, Path('none'), None, group, frozenset(group))
                   for index, group in enumerate(boxes))
    return AnnotatedSequence('RefRT', name, frames, ('the people',), condition=condition)


@pytest.fixture()
def sequences() -> list[AnnotatedSequence]:
    return [sequence('a', [{1: at(10 + t), 2: at(100 + t)} for t in range(5)], 'LasHeR'),
            sequence('b', [{1: at(10 + t)} for t in range(5)], 'VTUAV'),
            sequence('c', [{}] * 5, 'VTUAV')]


def write_run(folder: Path) -> Path:
    write_mot(folder / 'a.txt', [MotRow(t + 1, 7 if t < 3 else 8, at(11 + t)) for t in range(5)])
    write_mot(folder / 'b.txt', [])
    write_mot(folder / 'c.txt', [MotRow(t + 1, 1, at(10 + t)) for t in range(5)])
    return folder


def test_counts_are_pooled_over_pairs(sequences: list[AnnotatedSequence], tmp_path: Path) -> None:
    scores = score_set('run', sequences, write_run(tmp_path))
    pooled, alone = scores.overall.scores, scores.by_condition[0].scores
    assert pooled.hota == pytest.approx(34.16, abs=0.01)
    assert pooled.mota == pytest.approx(-6.67, abs=0.01)
    assert pooled.idf1 == pytest.approx(24.0, abs=0.01)
    assert alone.hota == pytest.approx(48.31, abs=0.01) and alone.idsw == 1
    assert [split.name for split in scores.by_condition] == ['LasHeR', 'VTUAV']
    assert (scores.pairs, scores.empty_pairs, scores.empty_pairs_alarmed) == (3, 1, 1)
    assert scores.overall.presence.absent_fpr == 100.0
    assert scores.overall.presence.recall == 50.0


def test_truth_as_tracks_is_perfect_and_one_frame_late_is_not(
        sequences: list[AnnotatedSequence], tmp_path: Path) -> None:
    for item in sequences:
        rows = [row for group in item.truth.values() for row in group]
        write_mot(tmp_path / 'right' / f'{item.name}.txt', rows)
        write_mot(tmp_path / 'late' / f'{item.name}.txt', [
            MotRow(row.frame + 1, row.id, row.box) for row in rows if row.frame < 5])
    assert score_set('right', sequences, tmp_path / 'right').overall.scores.hota == 100.0
    assert score_set('late', sequences, tmp_path / 'late').overall.scores.hota < 95


def test_a_missing_file_is_an_error_and_so_are_frames_beyond_the_end(
        sequences: list[AnnotatedSequence], tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    write_mot(folder / 'c.txt', [MotRow(6, 1, at(1))])
    with pytest.raises(ValueError, match='frames 1 to 5'):
        score_set('run', sequences, folder)
    (folder / 'b.txt').unlink()
    with pytest.raises(DataError, match='b.txt is missing'):
        score_set('run', sequences, folder)


def test_frames_that_nobody_labelled_count_for_nothing(tmp_path: Path) -> None:
    known = AnnotatedFrame(0, Path('none'), None, {1: at(10)}, frozenset({1}))
    unknown = AnnotatedFrame(1, Path('none'), None, {}, frozenset(), labelled=False)
    item = AnnotatedSequence('set', 'a', (unknown, known, unknown, known), ('it',))
    write_mot(tmp_path / 'a.txt', [MotRow(frame, 1, at(10)) for frame in (1, 2, 3, 4)])
    scores = score_set('run', [item], tmp_path)
    assert scores.overall.scores.hota == 100.0 and scores.overall.frames == 2


def refrt(root: Path) -> Path:
    """Write two pairs of 5 frames of 160x120 in which a bright square stands still."""
    image = np.random.default_rng(0).integers(60, 80, (120, 160, 3), np.uint8)
    image[40:80, 60:90] = 230
    for name, meant in (('VTUAV_car_1_here', True), ('LasHeR_man_2_gone', False)):
        for folder in ('visible', 'infrared'):
            (root / 'test' / name / folder).mkdir(parents=True)
            for number in range(1, 6):
                cv2.imwrite(str(root / 'test' / name / folder / f'{number:06d}.png'), image)
        write_mot(root / 'test' / name / 'gt.txt', [
            MotRow(number, 1, (60, 40, 90, 80)) for number in range(1, 6)] if meant else [])
        (root / 'test' / name / 'description.txt').write_text(
            'the square\n' if meant else 'the circle\n')
    return root


def test_tracking_a_set_asks_each_sentence_with_the_sensors_it_has(tmp_path: Path) -> None:
    from rtrack_ros.data.layouts import read_layout

    sequences = read_layout('refrt', refrt(tmp_path / 'set'))
    asked: list[tuple[str, bool, bool]] = []

    def answer(images: list[np.ndarray], prompt: Prompt) -> str:
        text = str(prompt.parts[0])
        asked.append((text, bool(images[0].any()), bool(images[1].any())))
        square = '[{"bbox_2d": [375, 333, 562, 667], "label": "person"}]'
        return square if 'square' in text else '[]'

    for sensors in ('both', 'rgb', 'thermal'):
        asked.clear()
        track_set(sequences, Grounder(ScriptedEngine(answer)), sensors, tmp_path / sensors, 0.0)
        assert {text.split('\n')[0] for text, _, _ in asked} >= {'the circle', 'the square'}
        assert {(rgb, heat) for _, rgb, heat in asked} == {
            (sensors != 'thermal', sensors != 'rgb')}
    rows = read_mot(tmp_path / 'both' / 'VTUAV_car_1_here.txt')
    assert rows[5][0].box == pytest.approx((60, 40, 90, 80), abs=2)
    assert read_mot(tmp_path / 'both' / 'LasHeR_man_2_gone.txt') == {}


def test_the_command_compares_runs_on_a_page(tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    root = refrt(tmp_path / 'set')
    for name, right in (('good', True), ('poor', False)):
        for pair in ('VTUAV_car_1_here', 'LasHeR_man_2_gone'):
            write_mot(tmp_path / name / f'{pair}.txt', [
                MotRow(number, 1, (60, 40, 90, 80)) for number in range(1, 6)]
                if pair.startswith('VTUAV') == right else [])
    command = ['evaluate', '--layout', 'refrt', '--set', str(root), '--run',
               f'good={tmp_path / "good"}', '--run', f'poor={tmp_path / "poor"}', '--report',
               str(tmp_path / 'page.html')]
    assert main([*command, '--json', '-']) == 0
    result = json.loads(capsys.readouterr().out)
    assert result['runs']['good']['hota'] == 100.0 and result['runs']['poor']['hota'] == 0.0
    assert result['runs']['good']['by_condition']['VTUAV']['hota'] == 100.0
    assert '2 (video, sentence) pairs' in result['notes'][0]
    assert result['notes'][1].endswith('good 0, poor 1.')
    page = (tmp_path / 'page.html').read_text()
    assert 'class="best">100.0' in page and 'poor' in page and page.count('data:image/svg') == 2
    assert main(command) == 0
    assert '2 pairs, pooled' in capsys.readouterr().out
    assert main(['evaluate', '--layout', 'refrt', '--set', str(root)]) == 2
    assert '--run' in capsys.readouterr().err
    assert main(['evaluate', '--set', str(root)]) == 2
    assert '--layout NAME' in capsys.readouterr().err
