import subprocess
import sys

import pytest

from rtrack_ros.engines import registry
from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.compiled import StaleExportError


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(EngineError, match='auto, openvino, llamacpp, transformers, server, '):
        registry.load_engine('tensorrt', 'anywhere')


def test_the_scripted_engine_takes_its_script():
    engine = registry.load_engine('scripted', 'anywhere', script=['[]'])
    assert engine.capabilities().name == 'scripted'


def test_auto_takes_the_first_engine_that_works(monkeypatch):
    def fail(model, **options):
        raise EngineError('no licence')
    scripted = registry.load_engine('scripted', '')
    factories = {'openvino': fail, 'transformers': lambda model, **options: scripted}
    monkeypatch.setattr(registry, '_FACTORIES', factories)
    assert registry.load_engine('auto', 'anywhere') is scripted


def stale(model, **options):
    raise StaleExportError('exported from other weights; run rtrack compile --model DIR')


def test_auto_never_takes_an_export_of_other_weights_and_says_so(monkeypatch, caplog):
    scripted = registry.load_engine('scripted', '')
    monkeypatch.setattr(registry, '_FACTORIES', {
        'openvino': stale, 'transformers': lambda model, **options: scripted})
    assert registry.load_engine('auto', 'DIR') is scripted
    warning, = caplog.messages
    assert warning == ('openvino: exported from other weights; run rtrack compile --model DIR. '
                       'Until then transformers answers, which is slower')


def test_auto_is_silent_about_engines_that_are_not_installed(monkeypatch, caplog):
    def missing(model, **options):
        raise EngineError('not installed')
    scripted = registry.load_engine('scripted', '')
    monkeypatch.setattr(registry, '_FACTORIES', {
        'openvino': missing, 'transformers': lambda model, **options: scripted})
    registry.load_engine('auto', 'DIR')
    assert not caplog.messages


def test_auto_with_nothing_but_an_old_export_names_the_remedy(monkeypatch):
    def missing(model, **options):
        raise EngineError('torch is not installed')
    monkeypatch.setattr(registry, '_FACTORIES', {'openvino': stale, 'transformers': missing})
    with pytest.raises(EngineError, match='rtrack compile --model DIR .* torch is not installed'):
        registry.load_engine('auto', 'DIR')


def test_auto_says_why_each_engine_does_not_work(tmp_path):
    with pytest.raises(EngineError) as caught:
        registry.load_engine('auto', tmp_path)
    reason = str(caught.value)
    assert 'openvino: ' in reason and 'transformers: ' in reason and 'rtrack.json' in reason


def test_the_model_of_an_installed_workspace_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, '__file__', str(tmp_path / 'lib' / 'rtrack_ros' / 'a' / 'b.py'))
    model = tmp_path / 'second' / 'share' / 'rtrack_ros' / 'models' / registry.DEFAULT_MODEL_NAME
    model.mkdir(parents=True)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path / "first"}:{tmp_path / "second"}')
    assert registry.default_model() == model


def test_the_model_of_a_checkout_is_found_first(tmp_path, monkeypatch):
    module = tmp_path / 'rtrack_ros' / 'engines' / 'registry.py'
    monkeypatch.setattr(registry, '__file__', str(module))
    (tmp_path / 'models' / registry.DEFAULT_MODEL_NAME).mkdir(parents=True)
    assert registry.default_model() == tmp_path / 'models' / registry.DEFAULT_MODEL_NAME


def test_a_missing_model_names_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, '__file__', str(tmp_path / 'a' / 'b' / 'c.py'))
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    monkeypatch.setattr(registry.sysconfig, 'get_path', lambda name: str(tmp_path / name))
    with pytest.raises(EngineError, match='source the workspace'):
        registry.default_model()


def test_importing_the_registry_imports_no_engine():
    code = ('import sys, rtrack_ros.engines.registry as r; r.load_engine("scripted", "");'
            'print([m for m in ("torch", "transformers", "openvino") if m in sys.modules])')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'


def test_the_model_is_found_where_pip_puts_the_data_of_a_package(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, '__file__', str(tmp_path / 'lib' / 'rtrack_ros' / 'a' / 'b.py'))
    monkeypatch.setenv('AMENT_PREFIX_PATH', '')
    monkeypatch.setattr(registry.sysconfig, 'get_path', lambda name: str(tmp_path / name))
    folder = tmp_path / 'data' / 'share' / 'rtrack_ros' / 'models' / 'rtrack-nano'
    folder.mkdir(parents=True)
    assert registry.default_model() == folder
