"""What is taught can be answered: coordinates, labels, numbers of boxes, sizes."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
for package in ('transformers', 'trl', 'peft', 'datasets'):
    pytest.importorskip(package, reason='learning needs the extra train (make test TORCH=1)')

from PIL import Image  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence  # noqa: E402
from rtrack_ros.data.pairs import DataError  # noqa: E402
from rtrack_ros.engines.base import EngineError  # noqa: E402
from rtrack_ros.engines.manifest import ModelManifest  # noqa: E402
from rtrack_ros.engines.transformers import TransformersEngine  # noqa: E402
from rtrack_ros.language.coordinates import largest_coordinate  # noqa: E402
from rtrack_ros.language.grammar import answer_grammar  # noqa: E402
from rtrack_ros.language.prompts import describe_prompt, ground_prompt  # noqa: E402
from rtrack_ros.training.models.hub import local_folder  # noqa: E402
from rtrack_ros.training.models.qwen import (  # noqa: E402
    load_model,
    load_processor,
    read_manifest,
    save_folder,
)
from rtrack_ros.training.stages.clipped_advantage import AdvantageScaling  # noqa: E402
from rtrack_ros.training.stages.grpo import policy_config  # noqa: E402
from rtrack_ros.training.stages.records import row_of  # noqa: E402
from rtrack_ros.training.stages.run import _adapter, _config, taught  # noqa: E402
from rtrack_ros.training.stages.settings import (  # noqa: E402
    DataSettings,
    ModelSettings,
    StageSettings,
)
from rtrack_ros.training.tasks.ground import Example  # noqa: E402
from rtrack_ros.training.yaml_settings import SettingsError  # noqa: E402

NANO = Path(__file__).parents[3] / 'models' / 'rtrack-nano'
SFT = StageSettings('sft', 'sft', data=DataSettings(('ground', 'verify')))


def question(*boxes, labels=None, size=(1280, 960), **more) -> Example:
    pair = (np.zeros((size[1], size[0], 3), np.uint8),) * 2
    return Example(pair, ground_prompt('the person', 'full'), boxes,
                   tuple(labels or ['person'] * len(boxes)), **more)


def answer_of(asked: Example, manifest: ModelManifest) -> str:
    return row_of(asked, manifest, True)['completion'][0]['content'][0]['text']


@pytest.mark.parametrize('protocol, size', [('abs_resized', (1288, 952)), ('rel1000', (640, 480)),
                                            ('abs_resized', (112, 84))])
@pytest.mark.parametrize('box', [(1150, 500, 1250, 800), (1279.9, 959.9, 1280, 960),
                                 (0, 0, 0.2, 0.2), (-5, -5, 1300, 2000)])
def test_boxes_anywhere_in_the_image_can_be_answered(protocol: str, size, box) -> None:
    manifest = ModelManifest('m', protocol, size)
    text = answer_of(question(box), manifest)
    assert re.fullmatch(answer_grammar(1, None, largest_coordinate(protocol, size)).regex, text)


@pytest.mark.parametrize('label, said', [('JetLev-Flyer', 'jetlev flyer'),
                                         ('\u6c7d\u8f66', 'object')])
def test_any_label_becomes_one_that_can_be_answered(label: str, said: str) -> None:
    assert f'"label": "{said}"' in answer_of(question((1, 2, 300, 400), labels=[label]),
                                             ModelManifest('m', 'rel1000', (640, 480)))


@pytest.mark.parametrize('asked', [
    question((1, 2, 300, 400), labels=['bus']), question(*[(1, 2, 300, 400)] * 3),
    replace(question(), prompt=describe_prompt((1, 2, 3, 4), 'full'), words='A Red car!')])
def test_what_no_engine_lets_a_model_write_is_not_taught(asked: Example) -> None:
    manifest = ModelManifest('m', 'rel1000', (640, 480), ('person', 'car'), max_boxes=2)
    with pytest.raises(DataError, match='is taught, and the grammar'):
        answer_of(asked, manifest)


def test_a_model_is_said_to_know_what_it_was_taught() -> None:
    boxes = {number: (10.0 * number, 5.0, 10.0 * number + 9, 50.0) for number in range(15)}
    frame = AnnotatedFrame(0, Path('1.jpg'), None, boxes, frozenset(boxes))
    clip = AnnotatedSequence('set', 'one', (frame,), ('all',), {1: 'Bus', 2: 'person'})
    before = ModelManifest('m', 'rel1000', (640, 480), ('person',))
    after = taught(before, SFT, [clip])
    assert after.labels == ('person', 'bus', 'object') and after.max_boxes == 15
    assert after.tasks == ('ground', 'verify')
    assert taught(replace(before, labels=()), SFT, [clip]).labels == ()
    rewarded = StageSettings('g', 'grpo', rewards=({'name': 'raw_overlap'},))
    assert taught(before, rewarded, [clip]) == before  # nobody is told what to write
    answer_of(question(*boxes.values(), labels=['bus'] * 15), after)


@pytest.mark.parametrize('size', [(256, 192), (128, 96), (224, 224)])
def test_a_folder_pins_the_size_it_was_trained_at(tmp_path: Path, size) -> None:
    manifest = read_manifest(NANO, size)
    save_folder(load_model(NANO, 'float32', 'eager', True), NANO, manifest, tmp_path / 'model')
    learnt = load_processor(NANO, manifest).image_processor(
        [Image.new('RGB', size)], return_tensors='pt')['image_grid_thw'].tolist()
    engine = TransformersEngine(tmp_path / 'model')
    seen = engine._pixels([np.zeros((480, 640, 3), np.uint8)])['image_grid_thw'].tolist()
    engine.close()
    text = (tmp_path / 'model' / 'preprocessor_config.json').read_text()
    assert seen == learnt and f'"longest_edge": {size[0] * size[1]}' in text


@pytest.mark.parametrize('options, said', [
    ({'learning_rat': 1.0}, 'unknown entries learning_rat; known are learning_rate'),
    ({'learning_rate': 'fast'}, "learning_rate must be a number; got 'fast'"),
    ({'max_steps': 1.5}, 'max_steps must be a whole number'),
    ({'max_steps': 0}, 'max_steps must lie between 1'),
    ({'num_generations': 0}, 'num_generations must lie between 2'),
    ({'learning_rate': -1.0}, 'learning_rate must lie between 0'),
    ({'save_total_limit': 0}, 'save_total_limit must lie between 1'),
    ({'temperature': 0.0}, 'temperature must lie between'),
    ({'lr_scheduler_type': 'sideways'}, 'TRL refuses these settings'),
    ({'num_generations': 3, 'per_device_train_batch_size': 4}, 'TRL refuses these settings')])
def test_a_setting_that_trl_cannot_use_is_named(tmp_path: Path, options, said: str) -> None:
    with pytest.raises(SettingsError, match=f'stage gspo: trainer.*{said}'):
        policy_config({'output_dir': str(tmp_path), 'use_cpu': True, 'bf16': False, **options},
                      AdvantageScaling('none'), 'gspo')


def test_a_setting_that_this_machine_replaces_is_checked_too(tmp_path: Path) -> None:
    stage = replace(SFT, trainer={'save_total_limit': 'x'})
    with pytest.raises(SettingsError, match='save_total_limit must be a whole number'):
        _config(stage, tmp_path)


@pytest.mark.parametrize('lost, said', [
    (('model.safetensors', None), 'weights in .* cannot be loaded'),
    (('model.safetensors', 5000), 'weights in .* cannot be loaded'),
    (('config.json', None), 'holds an adapter and no model')])
def test_a_model_that_cannot_be_loaded_is_named(tmp_path: Path, lost, said: str) -> None:
    folder = shutil.copytree(NANO, tmp_path / 'model',
                             ignore=shutil.ignore_patterns('openvino', 'llamacpp'))
    name, kept = lost
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if kept:
        (folder / name).write_bytes(content[:kept])
    (folder / 'adapter_config.json').write_text('{}')
    with pytest.raises(EngineError, match=said):
        read_manifest(folder, None)
        load_model(folder, 'float32', 'eager', True)


def test_weights_that_are_not_there_are_not_drawn_at_random(tmp_path: Path) -> None:
    folder = shutil.copytree(NANO, tmp_path / 'model',
                             ignore=shutil.ignore_patterns('openvino', 'llamacpp'))
    weights = load_file(folder / 'model.safetensors')
    gone = sorted(weights)[3]
    del weights[gone]
    save_file(weights, folder / 'model.safetensors', {'format': 'pt'})
    with pytest.raises(EngineError, match=f'lacks 1 weights, such as {gone}'):
        load_model(folder, 'float32', 'eager', True)


def test_an_attention_that_nobody_knows_is_an_error_of_the_model() -> None:
    with pytest.raises(EngineError, match='cannot be loaded with attention sideways'):
        load_model(NANO, 'float32', 'sideways', True)


def test_nothing_is_looked_up_on_a_hub_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr('huggingface_hub.snapshot_download',
                        lambda name: asked.append(name) or '/x')
    with pytest.raises(EngineError, match='no model folder Qwen/Qwen3-VL-2B.*hub:OWNER/NAME'):
        read_manifest(Path('Qwen/Qwen3-VL-2B'), None)
    assert asked == []
    assert local_folder(Path('hub:Qwen/Qwen3-VL-2B')) == Path('/x')
    assert asked == ['Qwen/Qwen3-VL-2B']


def test_what_the_trainers_refuse_is_an_error_of_the_settings(tmp_path: Path) -> None:
    # Checked without a model: TRL says it when its trainer is built.
    with pytest.raises(SettingsError, match='lora: PEFT refuses these settings'):
        _adapter(ModelSettings(lora={'rank': 3}))


def test_questions_that_no_reward_judges_are_named() -> None:
    stage = StageSettings('g', 'grpo', data=DataSettings(('ground', 'verify')),
                          rewards=({'name': 'raw_overlap'},))
    assert stage.unrewarded == ('verify',) and SFT.unrewarded == ()
