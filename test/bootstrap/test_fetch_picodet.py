"""What is taken out of the package of PicoDet, and what is refused."""

import sys
import zipfile
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).resolve().parents[2] / 'bootstrap'


def _wheel(folder, names, picodet):
    wheel = folder / 'paddlelabel_ml-1.0.0-py3-none-any.whl'
    with zipfile.ZipFile(wheel, 'w') as archive:
        for name in (*names, '../other'):
            archive.writestr(picodet.WITHIN + name, f'content of {name}')
        archive.writestr(
            'paddlelabel_ml-1.0.0.dist-info/METADATA', 'Name: paddlelabel-ml\nVersion: 1.0.0\n')
        archive.writestr('paddlelabel_ml-1.0.0.dist-info/WHEEL', 'Wheel-Version: 1.0\n')
        archive.writestr('paddlelabel_ml-1.0.0.dist-info/RECORD', '')
    return wheel


def test_only_the_network_is_taken_out(picodet, tmp_path):
    picodet.take_out(_wheel(tmp_path, picodet.FILES, picodet), tmp_path / 'picodet')

    assert {path.name: path.read_text() for path in (tmp_path / 'picodet').iterdir()} == {
        name: f'content of {name}' for name in picodet.FILES}


def test_a_package_without_the_network_leaves_nothing_half_done(picodet, tmp_path):
    with pytest.raises(picodet.SetupError, match='model.pdiparams'):
        picodet.take_out(_wheel(tmp_path, picodet.FILES[:1], picodet), tmp_path / 'picodet')

    assert not (tmp_path / 'picodet').exists()


def test_another_package_of_the_same_name_is_refused(picodet, tmp_path, monkeypatch):
    wheel = _wheel(tmp_path, picodet.FILES, picodet)
    monkeypatch.setenv('PIP_NO_INDEX', '1')
    monkeypatch.setenv('PIP_FIND_LINKS', str(wheel.parent))

    with pytest.raises(picodet.SetupError, match='HASH|hash'):
        picodet.fetch(sys.executable, tmp_path / 'picodet', BOOTSTRAP / 'picodet.txt',
                      tmp_path / 'log')
    assert not (tmp_path / 'picodet').exists()
