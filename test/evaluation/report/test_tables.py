"""Tables of scores, of a run and of a scene: the right figure under the right heading."""

import pytest
from rich.table import Table

pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.metrics.hota import evaluate_sequences
from rtrack_ros.evaluation.metrics.presence import measure_presence
from rtrack_ros.evaluation.metrics.single_object import SingleObjectScores
from rtrack_ros.evaluation.report.run_table import run_table
from rtrack_ros.evaluation.report.scene_table import scene_table
from rtrack_ros.evaluation.report.score_table import (
    run_score_table,
    score_table,
    set_score_table,
    single_object_line,
)
from rtrack_ros.evaluation.run import RunScores, Split
from rtrack_ros.evaluation.sequences import EvaluationSequence, by_frame
from rtrack_ros.evaluation.sets.scores import SetScores
from rtrack_ros.simulation import make_scene

ROWS = [MotRow(frame, 1, (10.0, 10.0, 40.0, 60.0)) for frame in (1, 2, 3, 4)]


def split(name: str, truth: list[MotRow], tracks: list[MotRow]) -> Split:
    sequence = EvaluationSequence(by_frame(truth), by_frame(tracks), 4)
    return Split(name, evaluate_sequences({'sequence': sequence}), measure_presence([sequence]), 4)


HALF, GONE = split('all', ROWS, ROWS[:2]), split('fog', [], ROWS[:1])


def cells(table: Table) -> list[dict[str, str]]:
    """Return the rows as headings and cells."""
    columns = {str(column.header): list(column.cells) for column in table.columns}
    return [{name: str(values[row]) for name, values in columns.items()}
            for row in range(table.row_count)]


def test_a_row_has_its_scores_and_presence() -> None:
    row, = cells(score_table('t', [('half', HALF.scores, HALF.presence)]))
    assert (row[''], row['DetA'], row['MOTA'], row['IDSW']) == ('half', '50.0', '50.0', '0')
    assert (row['presence'], row['false alarm'], row['meant'], row['found']) == (
        '66.7', '-', '4', '2')


def test_without_a_true_box_presence_alone_tells() -> None:
    row, = cells(score_table('t', [('gone', GONE.scores, GONE.presence)]))
    assert (row['HOTA'], row['IDSW'], row['false alarm'], row['found']) == ('-', '-', '25.0', '1')


def test_the_first_group_is_bold_and_groups_are_apart() -> None:
    table = run_score_table('t', RunScores(HALF, (HALF,), (GONE, HALF)))
    assert [row[''] for row in cells(table)] == ['all', 'all', 'fog', 'all']
    assert [row.style for row in table.rows] == ['bold', '', '', '']
    assert [row.end_section for row in table.rows] == [True, True, False, True]


def test_conditions_of_a_set_stand_below_their_run() -> None:
    runs = [SetScores(name, HALF, (GONE,), 3, 1, 0) for name in ('ours', 'other')]
    assert [row[''] for row in cells(set_score_table('t', runs))] == [
        'ours', '  fog', 'other', '  fog']


def test_single_objects_are_told_in_a_line() -> None:
    scores = SingleObjectScores('ours', 0.5, 0.25, 0.125, 10, 2, GONE.presence, (1.0,) * 101)
    assert single_object_line(scores) == ('ours: AO 0.500, SR0.5 0.250, SR0.75 0.125, boxes on '
                                          'absent frames 25.0 %')


def test_a_run_tells_how_late_its_arrays_were() -> None:
    metrics = {'hota': None, 'pairs_in': 30, 'arrays_out': 29, 'stamp_to_publish_ms_p50': 14.5,
               'stamp_to_publish_ms_p99': 23.0, 'answers': 9, 'answer_age_ms_p50': 120.0}
    names, values = (list(column.cells) for column in run_table(metrics).columns)
    assert dict(zip(names, values, strict=True)) == {
        name: str(value) for name, value in metrics.items() if name != 'hota'}


def test_a_scene_tells_its_sentences() -> None:
    scene = make_scene(7, seconds=1.0, conditions=('day',), fps=5)
    rows = cells(scene_table(scene))
    assert [row['sentence'] for row in rows] == [item.text for item in scene.expressions]
    assert {int(row['frames with an object']) for row in rows} <= set(range(6))
    assert max(int(row['frames with an object']) for row in rows) == 5
