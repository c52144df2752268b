import sys
from pathlib import Path

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.toolkits import assumed_toolkit, find_toolkit, numbers


def program(folder: Path, name: str, first: str = f'#!{sys.executable}') -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f'{first}\n')
    (folder / name).chmod(0o755)


def test_the_version_is_asked_of_the_interpreter_of_the_program(tmp_path: Path) -> None:
    program(tmp_path / 'bin', 'trtedge')
    asked = []

    def run(command: list[str]) -> str:
        asked.append(command)
        return '0.12.3\n'

    found = find_toolkit('edgellm', tmp_path, run=run)
    assert found.version == '0.12.3' and found.program('trtedge') == f'{tmp_path}/bin/trtedge'
    assert asked[0][:2] == [sys.executable, '-c'] and "'tensorrt-edgellm'" in asked[0][2]


@pytest.mark.parametrize('name, version', [('trtedge', '0.11.1'),
                                           ('tensorrt-edgellm-serve', '0.11.0')])
def test_a_program_that_does_not_tell_its_version_is_dated_by_its_name(
        tmp_path: Path, name: str, version: str) -> None:
    program(tmp_path, name, '#!/bin/sh')
    assert find_toolkit('edgellm', tmp_path, run=lambda command: '').version == version


def test_a_toolkit_that_is_absent_is_told_with_the_command_that_installs_it(
        tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r'TensorRT Edge-LLM is not installed in .* \(no program '
                                          r"trtedge or tensorrt-edgellm-serve\).*pip install "
                                          r"'tensorrt-edgellm\[server\]'.*--environment ENV"):
        find_toolkit('edgellm', tmp_path)


def test_a_toolkit_that_is_too_old_is_refused(tmp_path: Path) -> None:
    program(tmp_path, 'vllm')
    # 0.11.1 to 0.12.0 returned shifted boxes.
    with pytest.raises(EngineError, match=r'vLLM 0\.12\.0 is too old; 0\.12\.1 or newer'):
        find_toolkit('vllm', tmp_path, run=lambda command: '0.12.0\n')


def test_a_container_is_believed_and_an_assumed_toolkit_is_the_newest_known() -> None:
    assert find_toolkit('trtllm', container='some/image:1').container == 'some/image:1'
    assert assumed_toolkit('edgellm').version == '0.11.1'
    assert assumed_toolkit('edgellm', '0.11.0').version == '0.11.0'


def test_versions_are_compared_by_their_numbers() -> None:
    assert numbers('1.3.0rc15') == (1, 3, 0)
    assert assumed_toolkit('edgellm', '0.11.10').is_at_least('0.11.9')


def test_a_python_package_stands_in_for_llama_server_where_that_is_missing(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setattr('importlib.util.find_spec', lambda name: name == 'xllamacpp' or None)
    assert find_toolkit('llamacpp').call('llama-server') == [
        sys.executable, '-m', 'rtrack_ros.engines.llamacpp.program']
    with pytest.raises(EngineError, match='llama.cpp is not installed in'):
        find_toolkit('llamacpp', tmp_path)
    program(tmp_path, 'llama-server', '#!/bin/sh')
    assert find_toolkit('llamacpp').call('llama-server') == ['llama-server']
    (tmp_path / 'llama-server').unlink()
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(EngineError, match=r"pip install '.\[llamacpp\]'"):
        find_toolkit('llamacpp')
