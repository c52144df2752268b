"""``rtrack train``: what is missing or wrong is said before anything heavy is loaded."""

from pathlib import Path

import pytest

from rtrack_ros import cli

CONFIG = Path(__file__).parents[2] / 'config' / 'training'


@pytest.mark.parametrize('arguments, said', [
    (['gspo', '--config', str(CONFIG / 'gspo.yaml')], '--model'),
    (['gspo', '--config', 'nowhere.yaml'], 'there is no configuration nowhere.yaml'),
    (['recipe', 'omnipt', '--config', str(CONFIG / 'omnipt.yaml'), '--model', 'm'], '--out')])
def test_what_is_missing_is_named(arguments: list[str], said: str,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(['train', *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_misspelt_option_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / 'stage.yaml'
    path.write_text((CONFIG / 'gspo.yaml').read_text().replace('s_min', 'smin'))
    assert cli.main(['train', 'gspo', '--config', str(path)]) == 2
    assert 'unknown entries smin' in capsys.readouterr().err


def test_every_stage_has_its_configuration() -> None:
    parser = cli.build_parser()
    for stage in (['nano', '--out', 'x'], ['siamese', '--out', 'x'], ['sft'], ['grpo'],
                  ['gspo'], ['recipe', 'omnipt']):
        args = parser.parse_args(['train', *stage])
        name = args.config.name if args.config else f'{args.recipe}.yaml'
        assert (CONFIG / name).is_file()
