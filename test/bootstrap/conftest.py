"""The scripts of the set-up, which are no package and are never on sys.path."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BOOTSTRAP = Path(__file__).resolve().parents[2] / 'bootstrap'


def load(name: str) -> ModuleType:
    """Import a script of the set-up."""
    spec = importlib.util.spec_from_file_location(name, BOOTSTRAP / f'{name}.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, 'modules', dict(sys.modules))
    return load('steps')


@pytest.fixture
def machine(steps: ModuleType) -> ModuleType:
    return load('machine')


@pytest.fixture
def locks(steps: ModuleType) -> ModuleType:
    return load('locks')


@pytest.fixture
def picodet(steps: ModuleType) -> ModuleType:
    return load('fetch_picodet')


@pytest.fixture
def floors(steps: ModuleType) -> ModuleType:
    return load('floors')


@pytest.fixture
def run_tests(machine: ModuleType, floors: ModuleType) -> ModuleType:
    return load('run_tests')


@pytest.fixture
def prepare(machine: ModuleType) -> ModuleType:
    load('locks')
    return load('prepare')


@pytest.fixture
def licences(steps: ModuleType) -> ModuleType:
    return load('licences')
