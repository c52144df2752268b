"""The engine of a command is the one named, and is closed whatever happens."""

import argparse
from pathlib import Path

import pytest

from rtrack_ros.commands.model import (
    model_folder,
    node_parameters,
    opened_engine,
    opened_grounder,
    warn_if_it_fails,
)
from rtrack_ros.engines import registry
from rtrack_ros.engines.base import Capabilities, Reply
from rtrack_ros.engines.scripted import ScriptedEngine


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path, ScriptedEngine]]:
    calls: list[tuple[str, Path, ScriptedEngine]] = []

    def load(name: str, model: Path) -> ScriptedEngine:
        calls.append((name, model, ScriptedEngine()))
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
