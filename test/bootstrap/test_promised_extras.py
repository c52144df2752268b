"""A promised package that is broken fails the tests that need it; any other one skips them."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
IN_A_TEST = """
import pytest

def test_that_needs_it():
    pytest.importorskip({name!r}, reason='needs an extra')

def test_that_does_not():
    pass
"""
IN_A_MODULE = """
import pytest

needed = pytest.importorskip({name!r}, reason='needs an extra')

def test_that_needs_it():
    assert needed.__name__
"""


@pytest.fixture(scope='module')
def promises() -> ModuleType:
    spec = importlib.util.spec_from_file_location('promises', ROOT / 'conftest.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def outcome(tmp_path: Path):
    """Run a test file in a pytest of its own where 'rosbags' is broken; returns what it says."""
    shutil.copy(ROOT / 'conftest.py', tmp_path)
    (tmp_path / 'broken').mkdir()
    (tmp_path / 'broken' / 'rosbags.py').write_text('import a_library_that_is_gone')

    def run(text: str, extras: str) -> str:
        (tmp_path / 'test_one.py').write_text(text)
        done = subprocess.run(
            [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', '-q', '-ra',
             '-c', os.devnull, '--rootdir', tmp_path, tmp_path],
            cwd=tmp_path, text=True, capture_output=True, check=False,
            env={**os.environ, 'RTRACK_TEST_EXTRAS': extras,
                 'PYTHONPATH': str(tmp_path / 'broken')})
        return done.stdout + done.stderr
    return run


def test_a_broken_package_that_is_promised_fails_its_test(outcome) -> None:
    said = outcome(IN_A_TEST.format(name='rosbags'), 'bag,eval')
    assert re.search(r'^1 failed, 1 passed', said, re.MULTILINE), said
    assert 'rosbags is promised by RTRACK_TEST_EXTRAS' in said
    assert "No module named 'a_library_that_is_gone'" in said


def test_a_broken_package_that_is_promised_fails_a_whole_module(outcome) -> None:
    said = outcome(IN_A_MODULE.format(name='rosbags.highlevel'), 'bag')
    assert 'rosbags is promised by RTRACK_TEST_EXTRAS' in said
    assert re.search(r'^1 error', said, re.MULTILINE), said


def test_a_broken_package_of_an_extra_not_promised_skips(outcome) -> None:
    said = outcome(IN_A_TEST.format(name='rosbags'), 'eval')
    assert re.search(r'^1 passed, 1 skipped', said, re.MULTILINE), said


def test_without_a_promise_everything_missing_skips(outcome) -> None:
    said = outcome(IN_A_TEST.format(name='rosbags'), '')
    assert re.search(r'^1 passed, 1 skipped', said, re.MULTILINE), said


def test_a_misspelt_package_is_not_skipped_for_ever(outcome) -> None:
    said = outcome(IN_A_TEST.format(name='rosbag'), 'bag')
    assert re.search(r'^1 failed, 1 passed', said, re.MULTILINE), said
    assert "importorskip('rosbag'): say in conftest.py which extra brings it" in said


def test_a_misspelt_extra_ends_the_run(outcome) -> None:
    said = outcome(IN_A_TEST.format(name='rosbags'), 'bags')
    assert 'RTRACK_TEST_EXTRAS names bags; conftest.py knows bag, ' in said


def test_promises_are_extras_of_the_package(promises: ModuleType) -> None:
    text = (ROOT / 'pyproject.toml').read_text()
    table = text.partition('[project.optional-dependencies]')[2].partition('\n[')[0]
    extras = set(re.findall(r'^(\w+) = ', table, re.MULTILINE))
    assert set(promises.PACKAGES) - {'ros', 'none'} <= extras


def test_all_that_make_test_installs_can_be_promised(promises: ModuleType,
                                                     machine: ModuleType) -> None:
    everything = ','.join((*machine.extras(None, torch=True), 'ros'))
    assert {'trackeval', 'rosbags', 'rclpy', 'torch'} <= promises.promised_packages(everything)
