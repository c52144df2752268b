"""Configurations are found in a checkout, in a workspace and in an installed package alike."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rtrack_ros
from rtrack_ros.training.configs import find_config, shipped_config, shipped_configs
from rtrack_ros.training.yaml_settings import SettingsError

ROOT = Path(__file__).parents[3]
NAMES = ['fsdp', 'grpo', 'gspo', 'nano', 'nano_gspo', 'nano_more', 'nano_negations',
         'nano_sft', 'omnipt', 'real_clips', 'sft', 'siamese']


def test_the_package_at_hand_holds_all_configurations() -> None:
    assert shipped_configs() == NAMES
    package = Path(rtrack_ros.__file__).parent
    assert shipped_config('gspo') == package / 'training' / 'configs' / 'gspo.yaml'
    assert all(shipped_config(name).is_file() for name in NAMES)


def test_a_wheel_holds_all_configurations(tmp_path: Path) -> None:
    if not (ROOT / 'pyproject.toml').is_file():
        pytest.skip('the sources are not beside the tests')
    source = tmp_path / 'source'
    source.mkdir()
    for name in ('pyproject.toml', 'setup.py', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / 'rtrack_ros', source / 'rtrack_ros',
                    ignore=shutil.ignore_patterns('__pycache__'))
    build = ('from setuptools import build_meta; import sys; '
             'print(build_meta.build_wheel(sys.argv[1]))')
    done = subprocess.run([sys.executable, '-c', build, str(tmp_path)], cwd=source,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wheel, = tmp_path.glob('*.whl')
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith('.yaml')}
    assert held == {f'rtrack_ros/training/configs/{name}.yaml' for name in NAMES}


@pytest.mark.parametrize('named', ['gspo', 'gspo.yaml', Path('gspo')])
def test_a_name_is_one_of_the_package(named: Path | str, tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_config(named) == shipped_config('gspo')


def test_a_file_of_yours_is_taken_and_never_hides_a_name(tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ('gspo', 'gspo.yaml', 'mine'):
        (tmp_path / name).touch()
    assert find_config('gspo.yaml') == Path('gspo.yaml') and find_config('mine') == Path('mine')
    assert find_config('gspo') == shipped_config('gspo')
    assert find_config(tmp_path / 'gspo') == tmp_path / 'gspo'


@pytest.mark.parametrize('named', ['gsp', 'elsewhere/gspo.yaml', ''])
def test_what_is_neither_is_told_the_names(named: str) -> None:
    with pytest.raises(SettingsError, match=f'no configuration {named}.*fsdp, grpo, gspo, nano'):
        find_config(named)
