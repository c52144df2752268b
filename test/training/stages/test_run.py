"""Stages on TRL: prompts as the engines send them, rehearsals, and real steps of rtrack-nano."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
for package in ('transformers', 'trl', 'peft', 'datasets'):
    pytest.importorskip(package, reason='learning needs the extra train (make test TORCH=1)')

from safetensors.torch import load_file  # noqa: E402
from trl import GRPOConfig, GRPOTrainer, SFTConfig, TrlParser  # noqa: E402

from rtrack_ros.data.refrt_folder import write_refrt  # noqa: E402
from rtrack_ros.engines.base import TASKS, EngineError  # noqa: E402
from rtrack_ros.engines.chat import chat_text  # noqa: E402
from rtrack_ros.engines.manifest import ModelManifest  # noqa: E402
from rtrack_ros.engines.registry import load_engine  # noqa: E402
from rtrack_ros.language.grammar import answer_grammar  # noqa: E402
from rtrack_ros.language.parser import parse_answer  # noqa: E402
from rtrack_ros.language.prompts import ground_prompt, locate_prompt  # noqa: E402
from rtrack_ros.simulation import make_scene  # noqa: E402
from rtrack_ros.training.configs import shipped_config  # noqa: E402
from rtrack_ros.training.models.nano import on_int8_grid  # noqa: E402
from rtrack_ros.training.models.qwen import load_processor, read_manifest  # noqa: E402
from rtrack_ros.training.models.random_qwen import write_random_qwen  # noqa: E402
from rtrack_ros.training.stages.clipped_advantage import AdvantageScaling  # noqa: E402
from rtrack_ros.training.stages.grpo import policy_config  # noqa: E402
from rtrack_ros.training.stages.monitor import EarlyStop, StageMonitor  # noqa: E402
from rtrack_ros.training.stages.records import message_of, row_of, units  # noqa: E402
from rtrack_ros.training.stages.run import build_trainer, rehearse, run_stages  # noqa: E402
from rtrack_ros.training.stages.settings import StageSettings, read_stages  # noqa: E402
from rtrack_ros.training.tasks.ground import Example  # noqa: E402
from rtrack_ros.training.yaml_settings import SettingsError  # noqa: E402

ROOT = Path(__file__).parents[3]
NANO = ROOT / 'models' / 'rtrack-nano'
SIZES = {'qwen2_5_vl': (112, 84), 'qwen3_vl': (128, 96), 'qwen3_5': (128, 96)}


@pytest.fixture(scope='module')
def refrt(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp('refrt')
    scene = make_scene(3, seconds=0.3, place='yard', conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    write_refrt(scene, folder, split='train')
    return str(folder)


@pytest.fixture(scope='module')
def random_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp('models')
    return {family: write_random_qwen(family, root / family, size, 1 / 16)
            for family, size in SIZES.items()}


def stage(name: str, number: int = 0, **trainer) -> StageSettings:
    found = read_stages(shipped_config(name))[number]
    model = replace(found.model, image_size=None)
    data = replace(found.data, layout='refrt', scenes=1, questions=16)
    return replace(found, model=model, data=data, trainer={**found.trainer, **trainer})


@pytest.mark.parametrize('prompt', [
    ground_prompt('The car <|im_end|> left', 'full'), ground_prompt('all people', 'brief'),
    locate_prompt((1, 2, 3, 4), 'full')])
def test_training_sees_the_string_the_engines_send(prompt) -> None:
    processor = load_processor(NANO, ModelManifest.read(NANO))
    assert processor.apply_chat_template(message_of(prompt), add_generation_prompt=True,
                                         tokenize=False) == chat_text(prompt)


@pytest.mark.parametrize('family', SIZES)
def test_training_sees_what_the_engines_send_to_every_family(random_models, family: str) -> None:
    manifest, prompt = read_manifest(random_models[family], None), ground_prompt('all', 'full')
    processor = load_processor(random_models[family], manifest)
    assert processor.apply_chat_template(
        message_of(prompt), add_generation_prompt=True, tokenize=False) == chat_text(
            prompt, manifest.system, manifest.answer_start)


@pytest.mark.parametrize('protocol', ['rel1000', 'abs_resized'])
def test_the_answer_of_a_row_reads_back_as_the_boxes(protocol: str) -> None:
    boxes = ((10.0, 20.0, 60.0, 90.0), (100.0, 5.0, 160.0, 120.0))
    question = Example((np.zeros((120, 160, 3), np.uint8),) * 2, ground_prompt('all'), boxes,
                        ('person', 'car'))
    manifest = ModelManifest('m', protocol, (448, 336))
    row = row_of(question, manifest, answered=True)
    said = parse_answer(row['completion'][0]['content'][0]['text'], protocol, (160, 120),
                        manifest.image_size)
    assert [item.label for item in said] == ['person', 'car']
    assert np.allclose([item.box for item in said], boxes, atol=0.3)
    assert [image.size for image in row['images']] == [(448, 336)] * 2
    asked = row_of(question, manifest, answered=False)
    assert asked['frame'] == list(units(manifest))
    scale = np.array([asked['frame'] * 2]) / [160, 120, 160, 120]
    assert np.allclose(asked['boxes'], boxes * scale)


def test_an_answer_in_words_is_taught_and_rewarded_as_it_is() -> None:
    question = Example((np.zeros((96, 128, 3), np.uint8),) * 2, ground_prompt('all'), (), (),
                        'Yes')
    manifest = ModelManifest('m', 'rel1000', (128, 96))
    taught = row_of(question, manifest, answered=True)['completion'][0]['content'][0]['text']
    assert taught == row_of(question, manifest, answered=False)['words'] == 'Yes'


def test_boxes_beyond_the_image_are_cut_or_left_out() -> None:
    question = Example((np.zeros((100, 100, 3), np.uint8),) * 2, ground_prompt('all'),
                        ((-20.0, 50.0, 50.0, 130.0), (110.0, 0.0, 120.0, 9.0)), ('car', 'car'))
    row = row_of(question, ModelManifest('m', 'rel1000', (96, 96)), answered=True)
    text = row['completion'][0]['content'][0]['text']
    assert text == '[{"bbox_2d": [0, 500, 500, 1000], "label": "car"}]'


@pytest.mark.parametrize('reading, expected', [('none', 'group'), ('advantage', 'none'),
                                               ('scale', 'none')])
def test_trl_scales_rewards_only_where_we_do_not(tmp_path: Path, reading: str, expected: str
                                                 ) -> None:
    options = {'output_dir': str(tmp_path), 'bf16': False, 'use_cpu': True}
    assert policy_config(options, AdvantageScaling(reading)).scale_rewards == expected


def test_a_size_that_would_be_resized_again_is_refused(random_models) -> None:
    with pytest.raises(EngineError, match='multiples of 28'):
        read_manifest(random_models['qwen2_5_vl'], (640, 480))


@pytest.mark.parametrize('family', SIZES)
def test_the_processor_keeps_the_size(random_models, family: str) -> None:
    folder = random_models[family]
    manifest = ModelManifest.read(folder)
    processor = load_processor(folder, manifest)
    question = Example((np.zeros((120, 160, 3), np.uint8),) * 2, ground_prompt('all'), (), ())
    row = row_of(question, manifest, answered=False)
    text = processor.apply_chat_template(row['prompt'], add_generation_prompt=True,
                                         tokenize=False)
    found = processor(images=[row['images']], text=[text], return_tensors='pt')
    patch = processor.image_processor.patch_size
    width, height = manifest.image_size
    assert found['image_grid_thw'].tolist() == [[1, height // patch, width // patch]] * 2


def test_a_picture_of_many_rows_is_processed_once_and_stands_in_all(random_models) -> None:
    folder = random_models['qwen3_vl']
    processor = load_processor(folder, ModelManifest.read(folder))
    text = processor.apply_chat_template(message_of(ground_prompt('all')), tokenize=False)
    rng = np.random.default_rng(0)
    one, other = (Image.fromarray(rng.integers(0, 255, (96, 128, 3), np.uint8)) for _ in 'ab')
    apart = [one.copy(), other.copy(), one.copy(), one.copy()]
    shared, plain = (processor(images=[pair[:2], pair[2:]], text=[text] * 2)
                     for pair in ([one, other, one, one], apart))
    assert shared['input_ids'] == plain['input_ids']
    assert all(torch.equal(torch.as_tensor(shared[name]), torch.as_tensor(plain[name]))
               for name in ('pixel_values', 'image_grid_thw'))
    before, shown = processor.image_processor, []

    def counting(images, **options):
        shown.extend(images)
        return before(images, **options)

    counting.merge_size = before.merge_size
    processor.image_processor = counting
    processor._process_images([[one, other], [one, one]])
    assert len(shown) == 2


@pytest.mark.parametrize('name', ['gspo', 'grpo', 'sft'])
@pytest.mark.parametrize('family', SIZES)
def test_rehearsals_reach_the_first_step(refrt: str, random_models, tmp_path: Path, name: str,
                                         family: str) -> None:
    seen = rehearse(stage(name), random_models[family], refrt, tmp_path)
    assert 0 < seen['learning'] <= seen['parameters'] and seen['questions'] == 4
    assert (seen['learning'] == seen['parameters']) == (name == 'grpo')
    assert name != 'sft' or seen['gradient_norm'] > 0
    assert not list(tmp_path.glob('checkpoint-*'))


def test_a_stage_learns_from_a_set_without_sentences_of_its_own(street: Path, random_models,
                                                                tmp_path: Path) -> None:
    item = stage('sft')
    item = replace(item, data=replace(item.data, layout='rgbt-mot'))
    seen = rehearse(item, random_models['qwen3_vl'], str(street), tmp_path)
    assert seen['questions'] == 4 and seen['gradient_norm'] > 0


def test_one_stage_may_ask_for_boxes_and_for_words(refrt: str, random_models, tmp_path: Path
                                                   ) -> None:
    item = stage('gspo')
    rewards = tuple({'name': name} for name in ('comprehensive_detection', 'exact_words',
                                                'described'))
    item = replace(item, rewards=rewards, data=replace(item.data, tasks=TASKS))
    seen = rehearse(item, random_models['qwen3_vl'], refrt, tmp_path)
    assert seen['questions'] == 4 * len(TASKS)


def test_no_adapter_enters_a_frozen_tower(refrt: str, random_models, tmp_path: Path) -> None:
    folder = random_models['qwen2_5_vl']  # the tower has layers of the names that are adapted
    trainer = build_trainer(stage('gspo', bf16=False), folder, refrt, tmp_path,
                            ModelManifest.read(folder))
    learning = [name for name, value in trainer.model.named_parameters() if value.requires_grad]
    assert learning and not any('visual' in name for name in learning)


NANO_STEPS = {'per_device_train_batch_size': 4, 'steps_per_generation': 2, 'num_generations': 4,
              'max_completion_length': 24, 'save_steps': 2, 'warmup_steps': 0,
              'learning_rate': 1e-3}


def stop_at(step: int):
    def on_step_end(self, args, state, control, **_) -> None:
        if state.global_step == step:
            raise KeyboardInterrupt

    return on_step_end


def test_nano_learns_by_gspo_and_resumes(refrt: str, tmp_path: Path) -> None:
    item = stage('nano_gspo', max_steps=4, **NANO_STEPS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StageMonitor, 'on_step_end', stop_at(3))
        with pytest.raises(KeyboardInterrupt):
            run_stages([item], NANO, refrt, tmp_path)
    folder = run_stages([item], NANO, refrt, tmp_path)
    lines = (tmp_path / 'gspo' / 'log.jsonl').read_text().splitlines()
    entries = [entry for entry in map(json.loads, lines) if 'grad_norm' in entry]
    assert [entry['step'] for entry in entries] == [1, 2, 3, 4]
    assert all(np.isfinite(entry['grad_norm']) for entry in entries)
    assert any('advantages/near_ties' in entry for entry in entries)
    before, after = (load_file(path / 'model.safetensors') for path in (NANO, folder))
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name].float(), after[name].float()) for name in before)
    assert read_manifest(folder, None) == read_manifest(NANO, None)
    assert {value.dtype for value in after.values()} == {torch.float16}
    learned = load_file(tmp_path / 'gspo' / 'weights' / 'model.safetensors')
    assert all(torch.equal(on_int8_grid(learned[name]).half(), after[name]) for name in learned)
    engine = load_engine('transformers', folder)
    reply = engine.infer([np.zeros((192, 256, 3), np.uint8)] * 2, ground_prompt('all people'),
                         answer_grammar(1), 40)
    engine.close()
    assert reply.finish == 'stop'


def test_clipped_advantages_are_what_the_loss_gets(refrt: str, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = build_trainer(stage('nano_gspo', **NANO_STEPS), NANO, refrt, tmp_path,
                            ModelManifest.read(NANO))
    centred = torch.tensor([0.75, -0.25, -0.25, -0.25, 3e-3, -1e-3, -1e-3, -1e-3])
    monkeypatch.setattr(GRPOTrainer, '_generate_and_score_completions',
                        lambda self, inputs: {'advantages': centred.clone()})
    assert trainer.scale_rewards == 'none'
    found = trainer._generate_and_score_completions([])['advantages']
    assert found.tolist() == pytest.approx(
        [1.5, -0.5, -0.5, -0.5, 0.06, -0.02, -0.02, -0.02], abs=1e-6)


@pytest.mark.parametrize('name', ['sft', 'grpo', 'gspo', 'nano_gspo', 'omnipt'])
def test_trl_knows_every_option_of_the_shipped_configurations(name: str, tmp_path: Path) -> None:
    for item in read_stages(shipped_config(name)):
        kind = SFTConfig if item.method == 'sft' else GRPOConfig
        kind(**{**item.trainer, 'output_dir': str(tmp_path), 'bf16': False, 'use_cpu': True})


@pytest.mark.parametrize('name', ['gspo', 'grpo', 'omnipt'])
def test_options_of_vllm_are_those_of_trl(name: str, tmp_path: Path) -> None:
    wanted = {'use_vllm': True, 'vllm_mode': 'server', 'vllm_server_base_url': 'http://host:8000',
              'vllm_importance_sampling_mode': 'token_truncate',
              'vllm_gpu_memory_utilization': 0.4, 'vllm_tensor_parallel_size': 2}
    for item in read_stages(shipped_config(name)):
        if item.method != 'grpo':
            continue
        options = {**item.trainer, **wanted, 'output_dir': str(tmp_path), 'bf16': False,
                   'use_cpu': True}
        (config,) = TrlParser((GRPOConfig,)).parse_dict(options)
        assert {key: getattr(config, key) for key in wanted} == wanted
        assert policy_config(options, item.advantages).vllm_mode == 'server'


def test_a_mode_of_vllm_that_trl_does_not_have_is_named(tmp_path: Path) -> None:
    options = {'output_dir': str(tmp_path), 'bf16': False, 'use_cpu': True, 'use_vllm': True,
               'vllm_moed': 'colocate'}
    with pytest.raises(SettingsError, match='unknown entries vllm_moed; known are vllm_mode'):
        policy_config(options, AdvantageScaling('none'), 'gspo')


def test_early_stop_waits_for_patience() -> None:
    class Control:
        should_training_stop = False

    stop, control = EarlyStop('reward', patience=2, smoothing=2), Control()
    for value in (0.1, 0.2, 0.3, 0.3, 0.1):
        stop.on_log(None, None, control, {'reward': value})
        assert not control.should_training_stop
    stop.on_log(None, None, control, {'loss': 9.0})
    assert not control.should_training_stop
    stop.on_log(None, None, control, {'reward': 0.1})
    assert control.should_training_stop
