from dataclasses import replace
from pathlib import Path

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.checkpoints import checkpoint_digest
from rtrack_ros.engines.targets.engine_folder import EngineFolder, built_files
from rtrack_ros.engines.targets.machine import Machine
from rtrack_ros.engines.targets.servers import Limits
from rtrack_ros.engines.targets.toolkits import KINDS, Toolkit

EDGE = Toolkit(KINDS['edgellm'], '0.11.0')


@pytest.fixture
def folder(tmp_path: Path, checkpoint: Path, rtx: Machine) -> Path:
    """An engine folder for the machine ``rtx``."""
    written = tmp_path / 'engine'
    (written / 'cache').mkdir(parents=True)
    (written / 'cache' / 'llm.engine').write_bytes(b'an engine')
    EngineFolder('rtx-30', 'edgellm', 'int4_awq', 'm', str(checkpoint),
                 checkpoint_digest(checkpoint), '0.11.0', '', '8.6', 'x86_64', '580.95.05', (),
                 Limits(questions=2), 0.5, '', 4.2, built_files(written),
                 {'passed': True, 'message': '4 of 4'}).write(written)
    return written


def test_what_is_written_is_read(folder: Path) -> None:
    facts = EngineFolder.read(folder)
    assert facts.limits == Limits(questions=2) and facts.self_test['passed'] is True
    assert list(facts.files) == ['cache/llm.engine'] and len(facts.files['cache/llm.engine']) == 64


def test_what_matches_is_let_through(folder: Path, rtx: Machine) -> None:
    EngineFolder.read(folder).check(folder, rtx, EDGE)


@pytest.mark.parametrize('change, said', [
    ({'compute_capability': '12.0'}, 'compute capability 8.6 and this one has 12.0'),
    ({'compute_capability': ''}, 'compute capability 8.6 and this machine has none'),
    ({'cpu': 'aarch64'}, 'for a x86_64 processor and this is aarch64')])
def test_another_machine_is_refused_with_the_remedy(folder: Path, rtx: Machine, change: dict,
                                                    said: str) -> None:
    with pytest.raises(EngineError, match='rtrack compile MODEL --target rtx-30') as refused:
        EngineFolder.read(folder).check(folder, replace(rtx, **change), EDGE)
    assert said in str(refused.value)


def test_another_version_of_the_toolkit_is_refused(folder: Path, rtx: Machine) -> None:
    with pytest.raises(EngineError, match=r'TensorRT Edge-LLM 0\.11\.0 and 0\.11\.1 is installed'):
        EngineFolder.read(folder).check(folder, rtx, Toolkit(KINDS['edgellm'], '0.11.1'))


def test_a_changed_engine_a_changed_checkpoint_and_what_is_gone_are_all_named(
        folder: Path, checkpoint: Path, rtx: Machine) -> None:
    (folder / 'cache' / 'llm.engine').write_bytes(b'another engine')
    (checkpoint / 'config.json').write_text('{}')
    with pytest.raises(EngineError, match=r'checkpoint .* is another one; cache/llm\.engine was '
                                          'changed'):
        EngineFolder.read(folder).check(folder, rtx, EDGE)
    (folder / 'cache' / 'llm.engine').unlink()
    (checkpoint / 'config.json').unlink()
    (checkpoint / 'model.safetensors').unlink()
    checkpoint.rmdir()
    with pytest.raises(EngineError, match=r'the checkpoint .* is gone'):
        EngineFolder.read(folder).check(folder, rtx, EDGE)


def test_an_engine_that_failed_its_self_test_is_refused(folder: Path, rtx: Machine) -> None:
    facts = replace(EngineFolder.read(folder),
                    self_test={'passed': False, 'message': 'its boxes fit abs_resized'})
    with pytest.raises(EngineError, match='self-test failed: its boxes fit abs_resized'):
        facts.check(folder, rtx, EDGE)


def test_a_jetson_of_another_release_is_refused(folder: Path, orin: Machine) -> None:
    facts = replace(EngineFolder.read(folder), compute_capability='8.7', cpu='aarch64',
                    l4t=(38, 2))
    with pytest.raises(EngineError, match='built on Jetson Linux 38 and this is 39'):
        facts.check(folder, orin, EDGE)


@pytest.mark.parametrize('text', ['{', '[]', '{"target": "rtx-30"}', '{"limits": {"x": 1}}'])
def test_a_manifest_that_cannot_be_read_is_told_from_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(EngineError, match=r'holds no rtrack_engine\.json; make an engine folder'):
        EngineFolder.read(tmp_path)
    (tmp_path / 'rtrack_engine.json').write_text(text)
    with pytest.raises(EngineError, match='is not readable .* build the folder again'):
        EngineFolder.read(tmp_path)
