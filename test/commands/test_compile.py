import shutil
import sys
from pathlib import Path

import pytest

from rtrack_ros.cli import main
from rtrack_ros.engines import openvino_export
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.engines.registry import default_model
from rtrack_ros.engines.targets.engine_folder import EngineFolder


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


RTX_3090 = 'NVIDIA GeForce RTX 3090, 8.6, 580.95.05, 24576, 23000'
QUANTISER = f"""#!{sys.executable}
import shutil, sys
args = sys.argv
shutil.copytree(args[args.index('--model_dir') + 1], args[args.index('--output_dir') + 1])
"""


@pytest.mark.parametrize('target', ['jetson-orin', 'jetson-orin-nano', 'jetson-thor', 'rtx-30',
                                    'rtx-40', 'rtx-50', 'a100', 'h100'])
def test_a_dry_run_prints_commands_and_figures_with_sources_and_runs_nothing(
        target, tmp_path, capsys, toolkit, gpu, monkeypatch):
    gpu(RTX_3090)
    for name in ('trtedge', 'trtllm-serve', 'vllm', 'python'):
        toolkit.add(name)
    monkeypatch.chdir(tmp_path)
    assert main(['compile', 'Qwen/Qwen3-VL-2B-Instruct', '--target', target, '--dry-run']) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f'target     {target} ')
    # Precision, memory and answer; where the machine quantises, the memory for that as well.
    assert shown.count('source: ') == (4 if target in ('rtx-30', 'rtx-50') else 3)
    assert f'rtrack serve build/engines/Qwen3-VL-2B-Instruct-{target}' in shown
    assert '--host 127.0.0.1' in shown
    assert toolkit.started == [] and list(tmp_path.iterdir()) == [toolkit.folder]


def test_a_dry_run_for_cpu_prints_the_command_of_the_exporter(capsys):
    assert main(['compile', '--dry-run']) == 0
    shown = capsys.readouterr().out
    assert ('python -m optimum.commands.optimum_cli export openvino -m STAGED --task '
            'image-text-to-text --weight-format int8 EXPORTED') in shown
    assert '68 ms for one look' in shown and 'measured by us' in shown


def test_a_precision_that_is_not_legal_is_refused(capsys):
    assert main(['compile', 'Qwen/Qwen3-VL-2B-Instruct', '--target', 'jetson-orin',
                 '--precision', 'nvfp4', '--dry-run']) == 2
    assert 'nvfp4 is not legal on jetson-orin' in capsys.readouterr().err
    assert main(['compile', '--precision', 'fp8']) == 2
    assert 'choose one of int8, fp16, fp32' in capsys.readouterr().err


def test_an_unknown_target_is_refused_with_the_list(capsys):
    assert main(['compile', '--target', 'gameboy']) == 2
    assert "'gameboy' is unknown; choose one of cpu, jetson-orin" in capsys.readouterr().err


def test_the_model_is_named_once(tmp_path, capsys):
    assert main(['compile', str(tmp_path), '--model', str(tmp_path)]) == 2
    assert 'name the model once' in capsys.readouterr().err


def test_a_machine_without_a_gpu_is_told_where_to_run(qwen, capsys, toolkit, gpu):
    gpu('No devices were found')
    assert main(['compile', str(qwen), '--target', 'rtx-30']) == 2
    assert 'run the command on the rtx-30, or see what it would do' in capsys.readouterr().err


def test_an_absent_toolkit_is_told_with_the_remedy(qwen, capsys, gpu, tmp_path):
    gpu(RTX_3090)
    assert main(['compile', str(qwen), '--target', 'rtx-30', '--environment',
                 str(tmp_path / 'env')]) == 2
    assert "pip install 'tensorrt-edgellm[server]'" in capsys.readouterr().err


def test_a_target_is_built_served_once_and_described(qwen, tmp_path, capsys, toolkit, gpu):
    gpu(RTX_3090)
    toolkit.add('tensorrt-edgellm-serve')
    toolkit.add('tensorrt-edgellm-quantize', QUANTISER)
    out = tmp_path / 'engine'
    assert main(['compile', str(qwen), '--target', 'rtx-30', '--environment',
                 str(toolkit.folder), '--out', str(out), '--self-test', 'off']) == 0
    assert 'self-test: not run' in capsys.readouterr().out
    facts = EngineFolder.read(out)
    assert (facts.target, facts.engine, facts.precision, facts.name) == (
        'rtx-30', 'edgellm', 'int4_awq', 'Qwen3-VL-2B-Instruct')
    assert (facts.toolkit_version, facts.compute_capability, facts.driver) == (
        '0.11.0', '8.6', '580.95.05')
    assert facts.checkpoint == 'checkpoint/Qwen3-VL-2B-Instruct'
    assert list(facts.files) == ['cache/llm.engine']
    server, = toolkit.started
    assert '--cache-dir' in server['args'] and not running(server['pid'])
    assert not running(server['child'])


def test_a_folder_with_files_of_the_user_is_refused_before_anything_is_done(
        qwen, tmp_path, capsys, toolkit, gpu):
    gpu(RTX_3090)
    toolkit.add('tensorrt-edgellm-serve')
    toolkit.add('tensorrt-edgellm-quantize', QUANTISER)
    out = tmp_path / 'engine'
    (out / 'checkpoint').mkdir(parents=True)
    (out / 'checkpoint' / 'thesis.tex').write_text('years')
    command = ['compile', str(qwen), '--target', 'rtx-30', '--environment', str(toolkit.folder),
               '--out', str(out), '--self-test', 'off']
    assert main(command) != 0
    assert 'nothing was touched' in capsys.readouterr().err
    assert (out / 'checkpoint' / 'thesis.tex').read_text() == 'years' and not toolkit.started


def test_a_server_that_ends_while_building_is_told_with_its_last_words(
        qwen, tmp_path, capsys, toolkit, gpu):
    gpu(RTX_3090)
    toolkit.add('vllm')
    toolkit.breaks()
    out = tmp_path / 'engine'
    assert main(['compile', str(qwen), '--target', 'rtx-30', '--engine', 'vllm', '--environment',
                 str(toolkit.folder), '--out', str(out)]) == 2
    said = capsys.readouterr().err
    assert 'CUDA out of memory; read' in said and 'server.log' in said
    assert not (out / 'rtrack_engine.json').exists()


def running(pid):
    """Whether a process is there and is not waiting to be collected."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().split()[2] != 'Z'
    except OSError:
        return False


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


def test_a_model_that_boxes_wrongly_is_refused_or_told_of(qwen, tmp_path, capsys, toolkit, gpu):
    """The server of the test answers every question with a word that is no answer."""
    gpu(RTX_3090)
    toolkit.add('vllm')
    out = tmp_path / 'engine'
    command = ['compile', str(qwen), '--target', 'rtx-30', '--engine', 'vllm', '--environment',
               str(toolkit.folder), '--out', str(out)]
    assert main(command) == 2
    assert 'cannot be read' in capsys.readouterr().err
    assert not (out / 'rtrack_engine.json').exists()
    assert main([*command, '--self-test', 'warn']) == 0
    shown = capsys.readouterr()
    assert 'warning: ' in shown.err and 'cannot be read' in shown.err
    assert EngineFolder.read(out).self_test['passed'] is False
    for server in toolkit.started:
        assert not running(server['pid'])
