import shutil

import pytest

from rtrack_ros.cli import main
from rtrack_ros.engines import openvino_export
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.engines.registry import default_model


def test_a_folder_that_is_no_model_is_refused_with_the_remedy(tmp_path, capsys):
    assert main(['compile', '--model', str(tmp_path)]) == 2
    assert 'holds no rtrack.json' in capsys.readouterr().err


def test_an_environment_that_cannot_export_is_told_what_to_make(tmp_path, capsys, monkeypatch):
    ModelManifest('nano', 'rel1000', (320, 256)).write(tmp_path)

    def version(name):
        raise openvino_export.importlib.metadata.PackageNotFoundError(name)
    monkeypatch.setattr(openvino_export.importlib.metadata, 'version', version)
    assert main(['compile', '--model', str(tmp_path)]) == 2
    assert 'pip install torch==2.13.0 transformers==4.57.6' in capsys.readouterr().err


def test_what_was_written_is_said(tmp_path, capsys, monkeypatch):
    def export(model, precision):
        (model / 'weights.bin').write_bytes(bytes(3_000_000))
        return model
    monkeypatch.setattr(openvino_export, 'export_openvino', export)
    assert main(['compile', '--model', str(tmp_path), '--precision', 'fp16']) == 0
    assert capsys.readouterr().out == f'wrote {tmp_path} (fp16, 3.0 MB)\n'


@pytest.mark.parametrize('option', [('--precision', 'int3'), ('--engine', 'tensorrt')])
def test_an_unknown_choice_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        main(['compile', *option])
    assert 'invalid choice' in capsys.readouterr().err


def test_llamacpp_gets_a_pair_of_files_beside_the_model(tmp_path, capsys):
    pytest.importorskip('gguf', reason='the llamacpp extra is not installed')
    model = tmp_path / 'model'
    shutil.copytree(default_model(), model, ignore=shutil.ignore_patterns('openvino'))
    assert main(['compile', '--model', str(model), '--engine', 'llamacpp']) == 0
    assert capsys.readouterr().out == f'wrote {model / "llamacpp"} (f16, 8.8 MB)\n'
    assert (model / 'llamacpp' / 'rtrack-nano-f16.gguf').is_file()
    assert main(['compile', '--model', str(model), '--engine', 'llamacpp', '--precision',
                 'int8']) == 2
    assert 'choose one of f16, q8_0' in capsys.readouterr().err
