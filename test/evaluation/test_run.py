"""A recorded run: how its frames become scored sequences, metrics and a report."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip('trackeval', reason='scores need the eval extra')

from rtrack_ros.data.mot import MotRow
from rtrack_ros.evaluation.report import plots
from rtrack_ros.evaluation.report.writing import KeyPicture, key_frames, write_report
from rtrack_ros.evaluation.run import Run, RunFrame, RunQuery, StatusSample, run_metrics, score_run


def row(identity: int, x: float) -> MotRow:
    return MotRow(1, identity, (x, 20.0, x + 40.0, 120.0))


def make_run() -> Run:
    """Return 40 frames: object 5 by day, then objects 5 and 6 by night, then nobody is meant."""
    frames = []
    for index in range(40):
        query = 0 if index < 16 else 1 if index < 32 else 2
        truth = ((row(5, 3.0 * index),), (row(5, 3.0 * index), row(6, 200.0)), ())[query]
        frames.append(RunFrame(index / 10, query, tuple(replace(item, id=item.id + 10 * query)
                                                        for item in truth), truth,
                               'day' if index < 20 else 'night', 10.0 + index))
    queries = (RunQuery('the person in red', 0.0, 'colour'), RunQuery('all people', 1.6, 'class'),
               RunQuery('a dog', 3.2, 'nobody'))
    statuses = tuple(StatusSample(step / 5, step, 100.0 + 10 * step, 90.0) for step in range(20))
    return Run(queries, tuple(frames), statuses, 'A <run> & more', {'model': 'none'})


def edited(run: Run, **changes: object) -> Run:
    """Return the run with the named fields of every frame made by a function of its index."""
    frames = tuple(replace(frame, **{name: make(index) for name, make in changes.items()})  # type: ignore[operator]
                   for index, frame in enumerate(run.frames))
    return replace(run, frames=frames)


def test_a_perfect_run_scores_one_hundred_with_new_identities_for_a_new_sentence() -> None:
    scores = score_run(make_run())
    assert scores.overall.scores.hota == pytest.approx(100)
    assert [split.name for split in scores.by_query] == ['the person in red', 'all people',
                                                         'a dog']
    assert [split.frames for split in scores.by_condition] == [20, 20]
    assert scores.by_query[2].presence.absent_fpr == 0


def test_the_frames_after_a_change_of_the_sentence_count() -> None:
    run = make_run()
    late = edited(run, tracks=lambda index: () if 16 <= index < 20 else run.frames[index].tracks)
    scores = score_run(late)
    assert scores.by_query[1].scores.detre == pytest.approx(75)
    assert scores.by_condition[0].scores.detre == pytest.approx(100 * 16 / 24)
    assert scores.overall.scores.assa == pytest.approx(100 * (16 + 2 * 12 * 0.75) / 40)


def test_a_missing_array_counts_as_nothing_found() -> None:
    run = make_run()
    gap = edited(run, tracks=lambda index: None if index < 8 else run.frames[index].tracks)
    scores, metrics = score_run(gap), run_metrics(gap, score_run(gap))
    assert scores.by_query[0].scores.detre == pytest.approx(50)
    assert (metrics['pairs_in'], metrics['arrays_out']) == (40, 32)


def test_boxes_for_somebody_who_is_not_there_lower_the_pooled_score() -> None:
    run = make_run()
    alarm = edited(run, tracks=lambda index: (row(77, 9.0),) if index >= 32
                   else run.frames[index].tracks)
    scores = score_run(alarm)
    assert scores.overall.scores.detpr == pytest.approx(100 * 48 / 56)
    assert scores.by_query[2].presence.absent_fpr == 100


def test_boxes_before_the_first_sentence_are_false() -> None:
    run = edited(make_run(), query=lambda index: -1 if index < 4 else 0,
                 truth=lambda index: () if index < 4 else (row(5, 3.0 * index),),
                 tracks=lambda index: (row(1, 3.0 * index),))
    scores = score_run(run)
    assert scores.by_query[0].name == 'no sentence yet'
    assert scores.overall.scores.detpr == pytest.approx(90)


def test_metrics_have_every_promised_key_and_are_json() -> None:
    run = make_run()
    metrics = json.loads(json.dumps(run_metrics(run, score_run(run))))
    assert {'hota', 'deta', 'assa', 'idf1', 'mota', 'pairs_in', 'arrays_out', 'answers',
            'stamp_to_publish_ms_p50', 'stamp_to_publish_ms_p99', 'answer_age_ms_p50',
            'by_condition'} <= metrics.keys()
    assert metrics['stamp_to_publish_ms_p50'] == pytest.approx(29.5)
    assert metrics['answers'] == 19 and metrics['answer_age_ms_p50'] == pytest.approx(195)
    assert metrics['by_condition']['night']['hota'] == pytest.approx(100)


def test_a_run_without_truth_has_figures_but_no_scores() -> None:
    run = edited(make_run(), truth=lambda index: None, condition=lambda index: '')
    assert not run.has_truth
    with pytest.raises(ValueError, match='no truth'):
        score_run(run)
    metrics = run_metrics(run, None)
    assert metrics['hota'] is None and metrics['arrays_out'] == 40


def test_identity_rows_tell_owners_and_strays() -> None:
    run = make_run()
    stray = edited(run, tracks=lambda index: (row(99, 400.0),) if index == 3
                   else run.frames[index].tracks)
    rows = {name: (meant, found) for name, meant, found in plots._identity_rows(stray)}
    assert list(rows) == ['object 5', 'object 6', 'other, ID 99']
    meant, found = rows['object 5']
    assert meant == [pytest.approx((0.0, 3.2))]
    assert set(found) == {5, 15} and len(found[5]) == 2
    assert rows['other, ID 99'] == ([], {99: [pytest.approx((0.3, 0.4))]})


def test_conditions_span_the_whole_run() -> None:
    assert [(name, pytest.approx((begin, end))) for name, begin, end
            in plots.condition_spans(make_run())] == [('day', (0.0, 2.0)), ('night', (2.0, 4.0))]


def test_key_frames_are_the_middle_of_every_sentence_and_condition() -> None:
    assert key_frames(make_run()) == [8, 18, 26, 36]


def report(run: Run, path: Path, scored: bool = True) -> str:
    picture = KeyPicture(np.zeros((90, 1300, 3), np.uint8), 'a "caption"')
    write_report(path, run, score_run(run) if scored else None, [picture])
    return path.read_text(encoding='utf-8')


def test_the_report_needs_nothing_else_and_escapes_what_it_quotes(tmp_path: Path) -> None:
    page = report(make_run(), tmp_path / 'x' / 'report.html')
    assert 'A &lt;run&gt; &amp; more' in page and '<run>' not in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    plots_inside = re.findall(r'data:image/svg\+xml;base64,([^"]+)', page)
    assert len(plots_inside) == 5
    for encoded in plots_inside:
        assert ElementTree.fromstring(base64.b64decode(encoded)).tag.endswith('svg')
    assert page.count('data:image/jpeg;base64,') == 1


def test_the_report_of_a_run_without_truth_claims_no_scores(tmp_path: Path) -> None:
    run = edited(make_run(), truth=lambda index: None, condition=lambda index: '')
    page = report(run, tmp_path / 'report.html', scored=False)
    assert 'HOTA' not in page and 'truth' not in page
    assert page.count('data:image/svg') == 4


def test_an_empty_run_can_still_be_reported(tmp_path: Path) -> None:
    run = Run((RunQuery('the people', 0.0),), (RunFrame(0.0, 0, None),))
    assert '0 / 1' in report(run, tmp_path / 'report.html', scored=False)
