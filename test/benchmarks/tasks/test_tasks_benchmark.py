"""The benchmark of tasks: balanced questions, honest baselines, one table."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from rtrack_ros.benchmarks.tasks.benchmark import TaskPlan, run_tasks
from rtrack_ros.benchmarks.tasks.object_crops import Claim, galleries
from rtrack_ros.benchmarks.tasks.words import (
    Told,
    Verdict,
    describe_scores,
    verify_claims,
    verify_scores,
)
from rtrack_ros.cli import main
from rtrack_ros.engines import registry
from rtrack_ros.engines.base import TaskError
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.evaluation.report.comparison import write_task_comparison
from rtrack_ros.evaluation.report.task_table import COLUMNS, overall, tasks_table, under
from rtrack_ros.simulation import CONDITIONS
from rtrack_ros.simulation.descriptions import COLOURLESS, Attributes

SEED = 9_700_000
PLAN = TaskPlan(seed=SEED, runs=1, seconds=0.3, scenes=1, claims=3, objects=2)


def no_bar(items, what, total):
    assert len(list(items)) == total and what
    return iter(items)


def scripted(images, prompt):
    text = str(prompt.parts[0])
    if text.startswith('verify'):
        return 'No'
    return 'person in red walking to the left' if text.startswith('describe') else '[]'


@pytest.fixture(scope='module')
def shown():
    return [gallery for number in range(3) for gallery in galleries(SEED + number, 3, 2)]


def test_every_frame_has_as_many_true_as_false_claims_of_several_kinds(shown) -> None:
    assert {gallery.condition for gallery in shown} == set(CONDITIONS)
    for gallery in shown:
        true = [claim for claim in gallery.claims if claim.true]
        assert 2 * len(true) == len(gallery.claims) <= 6
        assert {claim.kind for claim in gallery.claims} <= {'class', 'colour', 'plural', 'motion',
                                                            'nobody'}
        assert len(gallery.objects) <= 2
    kinds = [claim.kind for gallery in shown for claim in gallery.claims]
    assert set(kinds) == {'class', 'colour', 'plural', 'motion', 'nobody'}
    night = [claim.kind for gallery in shown if gallery.condition == 'night'
             for claim in gallery.claims]
    assert night and not {'colour', 'plural'} & set(night)


def test_questions_depend_on_the_seed_alone(shown) -> None:
    again = next(galleries(SEED, 3, 2))
    assert again.claims == shown[0].claims and again.objects == shown[0].objects


def test_an_oracle_is_always_right_and_always_no_half_the_time(shown) -> None:
    truth = {(id(gallery.pair), claim.box, claim.text): claim.true
             for gallery in shown for claim in gallery.claims}

    class Oracle:
        def verify(self, pair, box, sentence, deadline_s):
            return 0.9 if truth[id(pair), box, sentence] else 0.2
    scores = verify_scores([verdict for gallery in shown
                            for verdict in verify_claims(Oracle(), gallery, 9.0)])
    assert scores['all']['accuracy'] == 1.0 and scores['all']['always_no'] == 0.5
    assert scores['all']['claims'] == sum(part['claims']
                                          for part in scores['by_condition'].values())


def test_verdicts_are_counted_by_kind_and_an_unusable_one_is_wrong() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    verdicts = [Verdict(Claim(box, 'a', 'class', True), 'day', 0.8),
                Verdict(Claim(box, 'b', 'class', False), 'day', 0.8),
                Verdict(Claim(box, 'c', 'colour', False), 'smoke', None),
                Verdict(Claim(box, 'd', 'colour', True), 'smoke', 0.51)]
    scores = verify_scores(verdicts)
    assert scores['all']['accuracy'] == 0.5 and scores['unusable'] == 1
    assert scores['by_kind']['class'] == {'accuracy': 0.5, 'always_no': 0.5, 'claims': 2}


def test_attributes_are_judged_where_they_are_told_and_no_colour_may_be_made_up() -> None:
    day = Attributes('person', 'red', 'blue', 'left')
    night = Attributes('person', motion='still')
    scores = describe_scores([
        Told(day, 'day', Attributes('person', 'red', 'green', 'left')), Told(day, 'day', day),
        Told(night, 'night', night),
        Told(night, 'night', Attributes('person', 'red', '', 'still'))])
    assert scores['all'] == {'category_right': 1.0, 'upper_right': 1.0, 'lower_right': 0.5,
                             'motion_right': 1.0, 'all_right': 0.5, 'objects': 4}
    assert scores['by_condition']['night']['upper_right'] is None
    usual = scores['usual_words']
    assert (usual['category'], usual['upper']) == ('person', 'red')
    assert usual['category_right'] == 1.0 and usual['motion_right'] == 0.5


def test_one_run_asks_all_three_and_one_table_shows_them() -> None:
    result = run_tasks(ScriptedEngine(scripted, image_size=(128, 96)), PLAN, no_bar)
    assert result['verify']['all']['accuracy'] == result['verify']['all']['always_no'] == 0.5
    assert result['locate']['all']['ao'] == 0 < result['locate']['all']['static']['ao']
    assert result['locate']['unusable'] == 0
    told = result['describe']['by_condition']
    assert all(told[name]['upper_right'] is None for name in COLOURLESS if name in told)
    assert 0 < result['describe']['all']['category_right'] < 1
    page = StringIO()
    Console(width=120, file=page).print(tasks_table(result))
    for word in (*CONDITIONS, 'AO', 'all right', *result['verify']['by_kind'], '0.500'):
        assert word in page.getvalue()
    assert json.loads(json.dumps(result)) == result


def test_parts_can_be_run_alone_and_a_model_that_cannot_is_refused() -> None:
    plan = TaskPlan(('verify',), SEED, scenes=1, claims=1)
    result = run_tasks(ScriptedEngine(scripted, image_size=(128, 96), tasks=('verify',)), plan,
                       no_bar)
    assert 'locate' not in result and 'describe' not in result
    with pytest.raises(TaskError, match='describe'):
        run_tasks(ScriptedEngine(scripted, tasks=('verify', 'locate')), PLAN, no_bar)


def test_the_command_writes_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(registry, 'load_engine', lambda name, model, **_: ScriptedEngine(
        scripted, image_size=(128, 96)))
    target, page = tmp_path / 'new' / 'first-run.json', tmp_path / 'page.html'
    asked = ['benchmark', 'tasks', '--model', str(tmp_path / 'second-run'), '--tasks', 'describe',
             '--scenes', '1', '--seed', str(SEED)]
    assert main([*asked, '--json', str(target)]) == 0
    assert json.loads(target.read_text())['describe']['all']['objects'] > 4
    assert 'usual words' in capsys.readouterr().out
    assert main([*asked, '--report', str(page), '--beside', str(target)]) == 0
    assert 'first-run' in page.read_text() and 'second-run' in page.read_text()


def test_columns_hold_the_figures_of_the_result() -> None:
    presence = {'f1': 90.0, 'absent_fpr': 20.0}
    row = {'ao': 0.6, 'sr50': 0.7, 'tracked': {'ao': 0.65}, 'static': {'ao': 0.3},
           'presence': presence}
    result = {'locate': {'all': row, 'by_condition': {'day': {
        **row, 'presence': {'f1': 80.0, 'absent_fpr': None}}}}}
    headings = [heading for heading, _, _ in COLUMNS]
    values = dict(zip(headings, overall(result), strict=True))
    assert [values[name] for name in ('AO', 'SR.50', 'tracked', 'still', 'presence', 'gone',
                                        'verify')] == [0.6, 0.7, 0.65, 0.3, 0.9, 0.8, None]
    day = dict(zip(headings, under(result, 'day'), strict=True))
    assert day['presence'] == 0.8 and day['gone'] is None
    assert set(under(result, 'night')) == {None}


def test_a_page_marks_the_better_checkpoint_and_leaves_out_what_was_not_run(tmp_path: Path
                                                                             ) -> None:
    def result(accuracy: float):
        row = {'accuracy': accuracy, 'always_no': 0.5}
        return {'verify': {'all': row, 'by_condition': {'day': row}}}
    write_task_comparison(tmp_path / 'page.html', 'T', {'old': result(0.6), 'new': result(0.8)})
    text = (tmp_path / 'page.html').read_text()
    assert '<td class="best">0.800</td>' in text and '<td>0.600</td>' in text
    assert 'verify by condition' in text and 'AO by condition' not in text


def test_figures_of_something_else_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]
                                               ) -> None:
    other = tmp_path / 'other.json'
    other.write_text('[]')
    assert main(['benchmark', 'tasks', '--beside', str(other)]) != 0
    assert 'give what --json wrote' in ' '.join(capsys.readouterr().err.split())


def test_unknown_tasks_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['benchmark', 'tasks', '--tasks', 'fly']) != 0
    assert 'locate, verify, describe' in capsys.readouterr().err


def test_as_many_negated_claims_are_true_as_false() -> None:
    denied = [gallery for number in range(3) for gallery in galleries(SEED + number, 3, 2, True)]
    assert {gallery.condition for gallery in denied} == set(CONDITIONS)
    for gallery in denied:
        assert 2 * sum(claim.true for claim in gallery.claims) == len(gallery.claims)
    kinds = {claim.kind for gallery in denied for claim in gallery.claims}
    assert kinds == {'not colour', 'not motion', 'conjunction'}
