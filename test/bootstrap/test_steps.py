import sys
from pathlib import Path
from types import ModuleType

import pytest


def run_chain(steps: ModuleType, folder: Path, inputs: tuple[str, str]) -> list[str]:
    """Run a chain of two steps and return the names of those that did something."""
    ran: list[str] = []
    chain = steps.Steps(folder, 2, 'here')
    chain.once('first', 'first', inputs[0], lambda: ran.append('first'))
    chain.once('second', 'second', inputs[1], lambda: ran.append('second'))
    return ran


def test_steps_run_once(steps: ModuleType, tmp_path: Path) -> None:
    assert run_chain(steps, tmp_path, ('a', 'b')) == ['first', 'second']
    assert run_chain(steps, tmp_path, ('a', 'b')) == []


def test_a_changed_step_repeats_itself_and_what_follows(steps: ModuleType,
                                                        tmp_path: Path) -> None:
    run_chain(steps, tmp_path, ('a', 'b'))

    assert run_chain(steps, tmp_path, ('a', 'changed')) == ['second']
    assert run_chain(steps, tmp_path, ('changed', 'changed')) == ['first', 'second']


def test_a_step_that_broke_off_is_repeated(steps: ModuleType, tmp_path: Path) -> None:
    def fail() -> None:
        raise steps.SetupError('no')

    with pytest.raises(steps.SetupError):
        steps.Steps(tmp_path, 1, 'here').once('first', 'first', 'a', fail)

    assert run_chain(steps, tmp_path, ('a', 'b')) == ['first', 'second']


def test_digest_sees_names_and_contents(steps: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / 'one'
    file.write_text('1')
    before = steps.digest_of([tmp_path]), steps.digest_of([tmp_path], content=False)
    file.write_text('2')

    assert steps.digest_of([tmp_path]) != before[0]
    assert steps.digest_of([tmp_path], content=False) == before[1]


def test_failed_download_names_the_remedy(steps: ModuleType, tmp_path: Path) -> None:
    script = "import sys; print('error: Failed to fetch: dns error'); sys.exit(2)"
    with pytest.raises(steps.SetupError, match='package index did not answer'):
        steps.run_logged([sys.executable, '-c', script], tmp_path / 'log', {}, needs_network=True)


def test_missing_tools_are_listed_with_the_command_to_get_them(
        machine: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.sys, 'version_info', (3, 11, 0))
    monkeypatch.setattr(machine.shutil, 'which',
                        lambda tool: None if tool in ('cmake', 'g++') else f'/usr/bin/{tool}')

    with pytest.raises(Exception, match=r'(?s)g\+\+, cmake.*apt-get install g\+\+ cmake'):
        machine.check_machine(None)


def test_wrong_interpreter_is_named_with_the_remedy(machine: ModuleType,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.sys, 'version_info', (3, 12, 0))

    with pytest.raises(Exception, match=r'is 3\.12\. Install 3\.11'):
        machine.check_machine(None)


def test_sources_of_pip_become_those_of_uv(machine: ModuleType) -> None:
    chosen = machine.uv_environment({'find-links': '/a /b', 'cert': '/c.pem'})

    assert chosen['UV_FIND_LINKS'] == '/a,/b'
    assert chosen['SSL_CERT_FILE'] == '/c.pem'
    assert 'UV_DEFAULT_INDEX' not in chosen
