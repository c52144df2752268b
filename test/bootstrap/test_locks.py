"""Everything that is installed is locked by hash, learning included, on both builds of torch."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tomllib

ROOT = Path(__file__).parents[2]
BOOTSTRAP = ROOT / 'bootstrap'


def read(locks: ModuleType, name: str) -> dict[str, str]:
    found: dict[str, str] = locks.entries((BOOTSTRAP / name).read_text())
    return found


def version(entry: str) -> str:
    return re.split(r'[ ;\\]', entry.split('==')[1])[0].strip()


@pytest.mark.parametrize('name', ['requirements.lock', 'learning.lock', 'torch_cpu.lock'])
def test_every_entry_has_one_version_and_its_hashes(locks: ModuleType, name: str) -> None:
    for package, entry in read(locks, name).items():
        assert re.match(r'[\w.-]+==\d', entry), entry
        hashes = entry.splitlines()[1:]
        assert hashes and all(re.fullmatch(r' +--hash=sha256:[0-9a-f]{64}( \\)?', line)
                              for line in hashes), package


def test_what_learning_needs_is_what_the_extras_name(locks: ModuleType) -> None:
    extras = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project'][
        'optional-dependencies']
    named = {pin.split(';')[0].strip() for pin in (*extras['transformers'], *extras['train'])
             if '==' in pin.split(';')[0]}
    asked = {line for line in (BOOTSTRAP / 'learning.in').read_text().splitlines()
             if not line.startswith('#')}
    assert asked == named
    locked = read(locks, 'learning.lock')
    assert {f'{name}=={version(entry)}' for name, entry in locked.items()} >= named


def test_both_locks_and_both_builds_agree(locks: ModuleType) -> None:
    base, learning = read(locks, 'requirements.lock'), read(locks, 'learning.lock')
    both = base.keys() & learning.keys()
    assert 'numpy' in both
    for name in both:  # networkx and the like have a version for each Python
        assert version(base[name]) == version(learning[name]) or 'python_full' in learning[name]
    assert version(read(locks, 'torch_cpu.lock')['torch']) == f'{version(learning["torch"])}+cpu'


def test_the_cpu_build_needs_nothing_of_cuda(locks: ModuleType) -> None:
    learning = read(locks, 'learning.lock')
    assert any(name.startswith('nvidia-') for name in learning)
    cpu = locks.cpu_build(learning, read(locks, 'torch_cpu.lock'))
    assert not [name for name in cpu if name.startswith(('nvidia', 'cuda', 'triton'))]
    assert '+cpu' in cpu['torch'] and {'transformers', 'trl'} <= cpu.keys()
    assert 'numpy' not in locks.without(cpu, ['numpy'])


class Installs:
    """Stands in for uv: keeps what it is given, and fails as told."""

    def __init__(self, prepare: ModuleType, failures: list[str]) -> None:
        self.prepare, self.failures = prepare, failures
        self.given: list[tuple[str, tuple[str, ...]]] = []

    def __call__(self, *arguments: str, log: str) -> None:
        text = Path(arguments[arguments.index('--requirement') + 1]).read_text()
        self.given.append((text, arguments))
        if self.failures:
            raise self.prepare.SetupError(self.failures.pop(0))


@pytest.fixture
def install(prepare: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(settings: dict[str, str], *failures: str) -> Installs:
        installs = Installs(prepare, list(failures))
        monkeypatch.setattr(prepare, 'BUILD', tmp_path)
        monkeypatch.setattr(prepare, 'own_ros', lambda: None)
        monkeypatch.setattr(prepare, 'pip_settings', lambda python: settings)
        monkeypatch.setattr(prepare, 'uv_install', installs)
        prepare.install_torch()
        return installs
    return run


def test_nothing_is_installed_that_is_not_locked(install: Any) -> None:
    (text, arguments), = install({}).given
    assert {'--no-deps', '--require-hashes'} <= set(arguments)
    assert arguments[-2:] == ('--torch-backend', 'cpu') and 'torch==2.13.0+cpu' in text


def test_a_mirror_without_the_cpu_build_gives_the_usual_one(install: Any) -> None:
    first, second = install({'index-url': 'https://mirror'},
                            'there is no version of torch==2.13.0+cpu').given
    assert '+cpu' in first[0] and '+cpu' not in second[0] and 'nvidia-' in second[0]
    assert '--torch-backend' not in second[1] and '--require-hashes' in second[1]


@pytest.mark.parametrize('settings, said', [
    ({}, 'there is no version of torch==2.13.0+cpu'),
    ({'find-links': '/wheels'}, 'the package index did not answer'),
    ({'find-links': '/wheels'}, 'Hash mismatch for `torch==2.13.0+cpu`')])
def test_no_other_failure_brings_gigabytes_of_cuda(install: Any, prepare: ModuleType,
                                                   settings: dict[str, str], said: str) -> None:
    with pytest.raises(prepare.SetupError, match=re.escape(said)):
        install(settings, said)
