"""The command line as a whole: help, registration, and failures that are one line."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from rtrack_ros import cli
from rtrack_ros.commands import CommandError
from rtrack_ros.files import FolderInUseError


def test_every_command_registers_and_explains_itself() -> None:
    parser = cli.build_parser()
    actions = [action for action in parser._actions
               if isinstance(action, argparse._SubParsersAction)]
    choices = actions[0].choices
    assert {'simulate', 'track', 'evaluate', 'demo'} <= choices.keys()
    for command in choices.values():
        assert callable(command.get_default('run'))
        assert command.format_help()


def test_help_imports_nothing_heavy() -> None:
    code = ('import sys; from rtrack_ros.cli import build_parser; build_parser(); '
            'heavy = {"cv2", "matplotlib", "numpy", "openvino", "rclpy", "scipy", "torch", '
            '"trackeval", "transformers"}; print(sorted(heavy & set(sys.modules)))')
    done = subprocess.run([sys.executable, '-P', '-c', code], capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == '[]'


@pytest.mark.parametrize('error, said', [
    (CommandError('give --this'), 'rtrack evaluate: give --this'),
    (ModuleNotFoundError('no', name='rosbags'), "pip install '.[bag]'"),
    (PermissionError(13, 'Permission denied', '/out/x'), '/out/x: Permission denied'),
    (FolderInUseError('/out: another process'), 'rtrack evaluate: /out: another process'),
    (OSError(28, 'No space left on device'), 'evaluate: the disk is full; make room'),
    (OSError(28, 'No space left on device', '/out/x'), '/out/x: the disk is full; make room'),
    (RuntimeError('PytorchStreamWriter failed writing file data/3'), 'the disk is full')])
def test_failures_are_one_line_with_status_two(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception,
        said: str) -> None:
    def fail(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr('rtrack_ros.commands.evaluate.run', fail)
    assert cli.main(['evaluate', '--tracks', 'a', '--truth', 'b']) == 2
    shown = capsys.readouterr().err
    assert said in shown and shown.count('\n') == 1


def test_no_hint_names_a_package_that_is_not_published() -> None:
    root = Path(__file__).parents[2]
    pages = [root / 'README.md', *(root / 'docs').glob('*.md')]
    for path in (*(root / 'rtrack_ros').rglob('*.py'), *pages):
        text = path.read_text(encoding='utf-8')
        assert 'rtrack_ros[' not in text and 'pip install rtrack' not in text, path


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(args: argparse.Namespace) -> int:
        raise KeyError('a bug')

    monkeypatch.setattr('rtrack_ros.commands.evaluate.run', fail)
    with pytest.raises(KeyError):
        cli.main(['evaluate', '--tracks', 'a', '--truth', 'b'])


@pytest.mark.parametrize('command', [
    ['evaluate', '--tracks', 'tracks.txt', '--truth', 'truth.txt', '--json', 'truth.txt'],
    ['evaluate', '--tracks', 'tracks.txt', '--truth', 'truth.txt', '--report', 'tracks.txt'],
    ['benchmark', 'clip', '--rgb', 'r.mp4', '--thermal', 't.mp4', '--truth', 'truth.txt', '--json',
     'truth.txt'],
    ['calibrate', 'images', '--out', 'calibration.yaml', '--picture', 'images/shown.png'],
    ['track', 'images', '--query', 'x', '--detector', 'net.onnx', '--out', 'net.onnx']])
def test_no_command_overwrites_what_it_reads(
        command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'images').mkdir()
    for name in ('tracks.txt', 'truth.txt', 'net.onnx', 'images/000001.png'):
        Path(name).write_text('mine')
    assert cli.main(command) == 2
    assert 'would overwrite the input' in capsys.readouterr().err
    assert {path.read_text() for path in tmp_path.rglob('*') if path.is_file()} == {'mine'}
