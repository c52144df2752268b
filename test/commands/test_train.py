"""``rtrack train``: what is missing or wrong is said before anything heavy is loaded."""

from pathlib import Path

import pytest

from rtrack_ros import cli
from rtrack_ros.training.configs import find_config, shipped_config, shipped_configs


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed command runs in any folder, not in a checkout."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize('arguments, said', [
    (['gspo'], '--model'),
    (['gspo', '--config', 'nano_gspo'], '--model'),
    (['gspo', '--config', 'nowhere.yaml'], 'there is no configuration nowhere.yaml'),
    (['recipe', 'omnipt', '--model', 'm'], '--out')])
def test_what_is_missing_is_named(arguments: list[str], said: str,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(['train', *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_misspelt_option_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / 'stage.yaml'
    path.write_text(shipped_config('gspo').read_text().replace('s_min', 'smin'))
    assert cli.main(['train', 'gspo', '--config', str(path)]) == 2
    assert 'unknown entries smin' in capsys.readouterr().err


def test_a_file_of_the_name_of_a_stage_does_not_replace_the_default(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'gspo.yaml').write_text('smin: 1')
    (tmp_path / 'gspo').write_text('smin: 1')
    assert cli.main(['train', 'gspo']) == 2
    assert '--model' in capsys.readouterr().err


def test_every_stage_has_its_configuration() -> None:
    parser = cli.build_parser()
    for *stage, name in (['nano', '--out', 'x', 'nano'], ['siamese', '--out', 'x', 'siamese'],
                         ['sft', 'sft'], ['grpo', 'grpo'], ['gspo', 'gspo'],
                         ['recipe', 'omnipt', 'omnipt']):
        args = parser.parse_args(['train', *stage])
        config = find_config(args.config or args.recipe)
        assert config == shipped_config(name) and config.is_file()


@pytest.mark.parametrize('name', shipped_configs())
def test_every_configuration_can_be_printed_to_be_changed(
        name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(['train', 'config', name]) == 0
    assert capsys.readouterr().out == shipped_config(name).read_text(encoding='utf-8')
