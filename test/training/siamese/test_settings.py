"""What the configuration of the Siamese network must say, and where its scenes may lie."""

from pathlib import Path

import pytest

from rtrack_ros.training.configs import shipped_config
from rtrack_ros.training.siamese.settings import read_settings
from rtrack_ros.training.yaml_settings import SettingsError

CONFIG = shipped_config('siamese')
BENCHMARKS = range(9_000_000, 9_500_000)


def test_the_shipped_configuration_keeps_clear_of_the_benchmarks() -> None:
    settings = read_settings(CONFIG)
    for begin, count in ((settings.scene_seed, settings.scenes),
                         (settings.held_out_seed, settings.held_out_scenes)):
        scenes = range(begin, begin + count)
        assert scenes[0] not in BENCHMARKS and scenes[-1] not in BENCHMARKS
        assert BENCHMARKS[0] not in scenes


@pytest.mark.parametrize('line, said', [('batch: 96', 'batch'), ('steps:', 'steps')])
def test_a_missing_or_misspelt_entry_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / 'siamese.yaml'
    path.write_text(CONFIG.read_text().replace(f'\n{line}', f'\n{line[0]}_{line[1:]}'))
    with pytest.raises(SettingsError, match=said):
        read_settings(path)


def test_held_out_scenes_among_those_of_training_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'siamese.yaml'
    path.write_text(CONFIG.read_text().replace('held_out_seed: 9600000', 'held_out_seed: 3000010'))
    with pytest.raises(SettingsError, match='held-out scenes are among those of training'):
        read_settings(path)
