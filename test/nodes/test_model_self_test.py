"""The model of the node: a failing one is refused, used with a warning, or not tested."""

import json
from pathlib import Path

import pytest

from rtrack_ros.engines.base import Capabilities, EngineError, Reply
from rtrack_ros.nodes.model import Model
from rtrack_ros.parameters import engine
from rtrack_ros.parameters.values import defaults


class Blind:
    """An engine that says of everything that it is not there."""

    asked = 0
    closed = False

    def capabilities(self) -> Capabilities:
        return Capabilities('blind', 'no-eyes', 'CPU', 'none', 'rel1000', (256, 192), True)

    def infer(self, *args: object) -> Reply:
        self.asked += 1
        return Reply('[]', 1, 'stop', {'total': 1.0})

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Blind:
    blind = Blind()
    monkeypatch.setattr(engine, 'load_engine', lambda *args, **options: blind)
    return blind


def settings(**changes: object) -> dict[str, object]:
    return defaults() | {'engine.model': 'anywhere'} | {
        f'engine.{name}': value for name, value in changes.items()}


def test_a_model_that_fails_is_refused_with_the_sentence_and_closed(blind: Blind) -> None:
    warnings: list[str] = []
    with pytest.raises(EngineError, match='no-eyes failed: it sees nothing.*vision tower'):
        Model(settings(), warnings.append)
    assert blind.closed and warnings == []


def test_a_model_that_fails_may_be_used_with_a_warning(blind: Blind) -> None:
    warnings: list[str] = []
    loaded = Model(settings(self_test='warn'), warnings.append)
    assert loaded.verdict is not None and not loaded.verdict.ok
    assert len(warnings) == 1 and 'it sees nothing' in warnings[0]
    loaded.close()


def test_a_model_is_not_asked_where_nobody_wants_a_test(blind: Blind) -> None:
    loaded = Model(settings(self_test='off'), print)
    assert loaded.verdict is None and blind.asked == 0
    loaded.close()


def test_the_scripted_engine_is_not_tested(tmp_path: Path) -> None:
    script = tmp_path / 'answers.json'
    script.write_text(json.dumps(['[]']))
    loaded = Model(settings(name='scripted', model=str(script)), print)
    assert loaded.verdict is None
    loaded.close()
