"""What guards the repository agrees with itself: hooks, workflow, issue forms, versions."""

import re
import xml.etree.ElementTree as ElementTree
from importlib import resources
from pathlib import Path

import pytest
import yaml

import rtrack_ros

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / '.github'
MAKEFILE = (ROOT / 'Makefile').read_text()
FORMS = [path for path in (GITHUB / 'ISSUE_TEMPLATE').glob('*.yml') if path.stem != 'config']


def test_all_places_carry_the_same_version() -> None:
    changes = (ROOT / 'CHANGELOG.md').read_text()
    newest = re.search(r'^## (\S+) - (unreleased|\d{4}-\d\d-\d\d)$', changes, re.MULTILINE)
    assert newest is not None
    assert {
        'package.xml': ElementTree.parse(ROOT / 'package.xml').getroot().findtext('version'),
        'CITATION.cff': yaml.safe_load((ROOT / 'CITATION.cff').read_text())['version'],
        'CHANGELOG.md': newest[1],
    } == dict.fromkeys(('package.xml', 'CITATION.cff', 'CHANGELOG.md'), rtrack_ros.__version__)


def test_the_package_says_that_it_is_typed() -> None:
    assert resources.files('rtrack_ros').joinpath('py.typed').is_file()
    assert "'rtrack_ros' = ['py.typed']" in (ROOT / 'pyproject.toml').read_text()


def test_pre_commit_runs_what_make_lint_runs_and_downloads_nothing() -> None:
    config = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())
    assert [repository['repo'] for repository in config['repos']] == ['local']
    hooks = config['repos'][0]['hooks']
    linters = MAKEFILE.partition('define LINT\n')[2].partition('\nendef')[0]
    assert [hook['entry'] for hook in hooks] == [
        line.replace('@$(RUN)', 'bootstrap/run') for line in linters.splitlines()]
    assert all(hook['language'] == 'system' and not hook['pass_filenames'] for hook in hooks)


def test_the_workflow_calls_targets_that_the_makefile_has() -> None:
    jobs = yaml.safe_load((GITHUB / 'workflows' / 'ci.yml').read_text())['jobs']
    commands = '\n'.join(step.get('run', '') for job in jobs.values() for step in job['steps'])
    called = set(re.findall(r'^\s*make (\w+)', commands, re.MULTILINE))
    assert called == {'lock', 'setup', 'test'}
    assert called <= set(re.findall(r'^(\w+):', MAKEFILE, re.MULTILINE))
    assert set(jobs) == {'bare', 'distribution_versions', 'ros', 'newest'}
    assert jobs['ros']['strategy']['matrix']['distribution'] == ['jazzy', 'humble']


@pytest.mark.parametrize('path', FORMS, ids=lambda path: path.stem)
def test_an_issue_form_is_one_that_github_shows(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    assert {'name', 'description', 'body'} <= set(form) <= {
        'name', 'description', 'title', 'labels', 'assignees', 'body'}
    asked = [item for item in form['body'] if item['type'] != 'markdown']
    assert len({item['id'] for item in asked}) == len(asked) > 0
    for item in asked:
        assert set(item) <= {'type', 'id', 'attributes', 'validations'}
        assert item['type'] in {'textarea', 'input', 'dropdown', 'checkboxes'}
        assert item['attributes']['label']


def test_there_are_forms_for_bugs_and_for_tuning() -> None:
    assert {path.stem for path in FORMS} == {'bug', 'tuning_help'}
    tuning = (GITHUB / 'ISSUE_TEMPLATE' / 'tuning_help.yml').read_text()
    assert all(asked in tuning for asked in ('/rtrack/status', 'ros2 param dump', 'bag record'))
