"""The engine of a command is the one named, and is closed whatever happens."""

import argparse
from pathlib import Path

import pytest

from rtrack_ros.cli import main
from rtrack_ros.commands import CommandError
from rtrack_ros.commands.model import (
    model_folder,
    model_name,
    node_parameters,
    opened_engine,
    opened_grounder,
    warn_if_it_fails,
)
from rtrack_ros.commands.parser import build_parser
from rtrack_ros.engines import registry
from rtrack_ros.engines.base import Capabilities, Reply
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.parameters.values import defaults


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path, ScriptedEngine]]:
    calls: list[tuple[str, Path, ScriptedEngine]] = []

    def load(name: str, model: Path, **options: object) -> ScriptedEngine:
        calls.append((name, model, ScriptedEngine(), *options.items()))
        return calls[-1][2]

    monkeypatch.setattr(registry, 'load_engine', load)
    monkeypatch.setattr(registry, 'default_model', lambda: Path('shipped'))
    return calls


@pytest.mark.parametrize(('model', 'folder'), [(None, 'shipped'), (Path('mine'), 'mine')])
def test_the_shipped_model_stands_in_for_none(
        loaded: list[tuple[str, Path, ScriptedEngine]], model: Path | None, folder: str) -> None:
    args = argparse.Namespace(engine='scripted', model=model)
    with opened_engine(args) as engine:
        assert loaded == [('scripted', Path(folder), engine)]
    assert model_folder(args) == Path(folder)


def test_a_failure_closes_the_engine(loaded: list[tuple[str, Path, ScriptedEngine]]) -> None:
    args = argparse.Namespace(engine='auto', model=None, refine='never')
    with pytest.raises(KeyboardInterrupt), opened_grounder(args):
        assert not loaded[0][2]._closed
        raise KeyboardInterrupt
    assert loaded[0][2]._closed


def test_the_node_gets_the_folder_in_full_and_its_own_default() -> None:
    args = argparse.Namespace(engine='scripted', model=Path('answers.json'))
    assert node_parameters(args) == {'engine.name': 'scripted',
                                     'engine.model': str(Path.cwd() / 'answers.json')}
    assert node_parameters(argparse.Namespace(engine='auto', model=None)) == {
        'engine.name': 'auto'}


URL = 'http://thor:8000'
OPTIONS = ['--dialect', 'vllm', '--served-model', 'mine', '--model-family', 'qwen3_vl',
           '--manifest', 'facts', '--model-image-size', '640x480']
COMMANDS = [['demo'], ['track', '--rgb', 'a', '--query', 'b', '--out', 'c'], ['evaluate'],
            *(['benchmark', name] for name in (
                'crops', 'cost', 'grounding', 'learning', 'tasks', 'tracking')),
            ['benchmark', 'clip', '--rgb', 'a', '--thermal', 'b', '--truth', 'c']]


@pytest.mark.parametrize('command', COMMANDS, ids=' '.join)
def test_every_command_takes_a_url_with_its_options_as_it_is(
        command: list[str], loaded: list[tuple]) -> None:
    args = build_parser().parse_args([*command, '--model', URL, *OPTIONS])
    assert args.model == URL
    with opened_engine(args):
        assert loaded[0][:2] == (args.engine, URL)
        assert dict(loaded[0][3:]) == {
            'dialect': 'vllm', 'served_model': 'mine', 'family': 'qwen3_vl',
            'manifest': Path('facts'), 'image_size': (640, 480)}


def test_the_node_gets_the_url_and_the_options_of_the_server() -> None:
    args = build_parser().parse_args(['demo', '--model', URL, '--engine', 'server', *OPTIONS])
    assert node_parameters(args) == {
        'engine.name': 'server', 'engine.model': URL, 'engine.server.dialect': 'vllm',
        'engine.server.served_model': 'mine', 'engine.server.family': 'qwen3_vl',
        'engine.server.manifest': str(Path.cwd() / 'facts'),
        'engine.server.image_size': '640x480'}
    assert set(node_parameters(args)) <= set(defaults())


def test_options_of_a_server_without_one_are_refused() -> None:
    args = build_parser().parse_args(['demo', '--model', 'folder', '--model-family', 'qwen3_vl'])
    with pytest.raises(CommandError, match=r'--model-family is about a server.*--model http'):
        node_parameters(args)


@pytest.mark.parametrize('command', [
    ['compile'], ['train', 'sft', '--out', 'a'], ['train', 'sft', '--dry-run']], ids=' '.join)
def test_what_needs_the_model_itself_takes_no_url(
        command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, '--model', URL]) != 0
    assert 'this needs the model itself and no server' in capsys.readouterr().err


def test_a_served_model_has_a_name_for_tables() -> None:
    named = argparse.Namespace(model=URL, served_model='mine')
    assert model_name(named) == 'mine'
    assert model_name(argparse.Namespace(model=URL + '/v1')) == 'thor-8000'
    assert model_name(argparse.Namespace(model=Path('models/nano'))) == 'nano'


class Blind:
    """An engine that says of everything that it is not there."""

    def capabilities(self) -> Capabilities:
        return Capabilities('blind', 'no-eyes', 'CPU', 'none', 'rel1000', (256, 192), True)

    def infer(self, *args: object) -> Reply:
        return Reply('[]', 1, 'stop', {'total': 1.0})

    def close(self) -> None:
        pass


def test_an_engine_that_fails_its_self_test_is_warned_of_on_stderr(
        capsys: pytest.CaptureFixture[str]) -> None:
    warn_if_it_fails(Blind())
    said = capsys.readouterr()
    assert 'warning: the self-test of no-eyes failed: it sees nothing' in said.err
    assert said.out == ''
