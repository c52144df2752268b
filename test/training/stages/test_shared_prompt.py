"""A prompt read once for its answers: the likelihoods, gradients and samples of reading all."""

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
for package in ('transformers', 'trl', 'peft', 'datasets'):
    pytest.importorskip(package, reason='learning needs the extra train (make test TORCH=1)')

from transformers import GenerationConfig  # noqa: E402
from trl import GRPOTrainer  # noqa: E402

from rtrack_ros.engines.manifest import ModelManifest  # noqa: E402
from rtrack_ros.training.configs import shipped_config  # noqa: E402
from rtrack_ros.training.models.random_qwen import write_random_qwen  # noqa: E402
from rtrack_ros.training.stages.grpo import PolicyTrainer  # noqa: E402
from rtrack_ros.training.stages.run import build_trainer  # noqa: E402
from rtrack_ros.training.stages.settings import read_stages  # noqa: E402
from rtrack_ros.training.stages.shared_prompt import can_sample  # noqa: E402

ROOT = Path(__file__).parents[3]
NANO = ROOT / 'models' / 'rtrack-nano'
SIZES = {'qwen2_5_vl': (112, 84), 'qwen3_vl': (128, 96)}
OPTIONS = {'per_device_train_batch_size': 6, 'steps_per_generation': 1, 'num_generations': 3,
           'max_completion_length': 12, 'temperature': 0.7,
           'mask_truncated_completions': False}  # random weights never end an answer


@pytest.fixture(scope='module', params=['nano', *SIZES])
def trainer(request, tmp_path_factory: pytest.TempPathFactory) -> PolicyTrainer:
    out = tmp_path_factory.mktemp(request.param)
    model = NANO if request.param == 'nano' else write_random_qwen(
        request.param, out / 'random', SIZES[request.param], 1 / 16)
    stage = read_stages(shipped_config('nano_gspo'))[0]
    stage = replace(stage, data=replace(stage.data, scenes=1, questions=4),
                    model=replace(stage.model, attention='sdpa', train_vision=True),
                    trainer={**stage.trainer, **OPTIONS})
    return build_trainer(stage, model, 'simulation', out, ModelManifest.read(model))


@pytest.fixture(scope='module')
def rollout(trainer: PolicyTrainer) -> dict:
    torch.manual_seed(3)
    asked = [trainer.train_dataset[number] for number in (0, 0, 0, 1, 1, 1)]
    found = trainer._generate_and_score_completions(asked)
    order = torch.tensor([4, 0, 3, 1, 5, 2])  # the trainer shuffles
    images = found['pixel_values'].view(6, -1, found['pixel_values'].shape[-1])[order]
    grids = found['image_grid_thw'].view(6, 2, 3)[order].view(-1, 3)
    return {name: found[name][order] for name in (
        'prompt_ids', 'prompt_mask', 'completion_ids', 'completion_mask', 'mm_token_type_ids')
        } | {'pixel_values': images.flatten(0, 1), 'image_grid_thw': grids,
             'num_images': [2] * 6}


def likelihoods(trainer: PolicyTrainer, rollout: dict, kind: type) -> tuple:
    trainer.model.zero_grad()
    ids = torch.cat([rollout['prompt_ids'], rollout['completion_ids']], 1)
    mask = torch.cat([rollout['prompt_mask'], rollout['completion_mask']], 1)
    fields = {name: rollout[name] for name in ('pixel_values', 'image_grid_thw', 'num_images',
                                               'mm_token_type_ids')}
    width = rollout['completion_ids'].shape[1]
    chosen, entropy, _ = kind._get_per_token_logps_and_entropies(
        trainer, trainer.model, ids, mask, width, compute_entropy=True, **fields)
    said = rollout['completion_mask']
    ((chosen * said).sum(1) * torch.linspace(-1, 1, 6)).sum().backward()
    gradient = {name: value.grad.clone() for name, value in trainer.model.named_parameters()
                if value.grad is not None}
    return (chosen * said).detach(), (entropy * said).detach(), gradient


def test_likelihoods_and_gradients_are_those_of_whole_rows(trainer, rollout) -> None:
    ours, theirs = (likelihoods(trainer, rollout, kind) for kind in (PolicyTrainer, GRPOTrainer))
    assert torch.allclose(ours[0], theirs[0], atol=1e-4) and ours[0].min() < -0.5
    assert torch.allclose(ours[1], theirs[1], atol=1e-4)
    assert ours[2].keys() == theirs[2].keys()
    for name, value in theirs[2].items():
        assert torch.allclose(ours[2][name], value, rtol=1e-3, atol=1e-4 * value.abs().max()), name


def test_answers_drawn_almost_without_chance_are_the_greedy_ones(trainer) -> None:
    asked = [trainer.train_dataset[number]['prompt'] for number in (0, 1, 1)]
    pictures = [trainer.train_dataset[number]['images'] for number in (0, 1, 1)]
    from trl.data_utils import prepare_multimodal_messages

    prompts = [prepare_multimodal_messages(prompt, images=images)
               for prompt, images in zip(asked, pictures, strict=True)]
    inputs = trainer._tokenize_prompts(prompts)
    plain = GenerationConfig.from_dict({**trainer.generation_config.to_dict(), 'do_sample': False})
    before = trainer.generation_config
    try:
        trainer.generation_config = plain
        greedy, _ = trainer._generate_single_turn(*inputs, num_generations=3)
        trainer.generation_config = GenerationConfig.from_dict(
            {**before.to_dict(), 'temperature': 1e-4})
        drawn, _ = trainer._generate_single_turn(*inputs, num_generations=3)
    finally:
        trainer.generation_config = before
    assert drawn == [list(answer) for answer in greedy]
    assert drawn[1] == drawn[2] and all(1 <= len(answer) <= 12 for answer in drawn)


@pytest.mark.parametrize('change, plain', [
    ({}, True), ({'top_p': 0.9}, False), ({'top_k': 5}, False), ({'min_p': 0.1}, False),
    ({'repetition_penalty': 1.1}, False), ({'do_sample': False}, False)])
def test_only_plain_sampling_is_done_here(change: dict, plain: bool) -> None:
    config = {'do_sample': True, 'top_p': 1.0, 'top_k': 0, 'repetition_penalty': 1.0}
    assert can_sample(GenerationConfig(**{**config, **change})) == plain
