"""Reinforcement learning: TRL's GRPOTrainer with Clipped Advantage Scaling.

GSPO is a setting of that trainer (``importance_sampling_level: sequence``, ``loss_type: grpo``;
arXiv 2507.18071). With CAS the trainer is told not to scale (``scale_rewards: none``) and hands
back rewards less the mean of their group, groups still contiguous; they are scaled here.

Nothing else is changed but the cost: images and prompts that the answers of a group share are read
once (``shared_vision``, ``shared_prompt``), the prompts where one process holds the whole model.
"""

from typing import Any

import torch
from torch import Tensor, nn
from trl import GRPOConfig, GRPOTrainer

from rtrack_ros.training.stages.clipped_advantage import AdvantageScaling, group_deviation
from rtrack_ros.training.stages.shared_prompt import (
    Prompts,
    answer_likelihoods,
    can_sample,
    can_share,
    sample_answers,
)
from rtrack_ros.training.stages.trl_options import trl_config


class PolicyTrainer(GRPOTrainer):
    """GRPOTrainer with the advantages of :class:`AdvantageScaling`.

    Args:
        scaling: How advantages are made; the reading 'none' leaves TRL's own untouched.

    Raises:
        ValueError: a group of answers would be divided among processes.
    """

    def __init__(self, *args: Any, scaling: AdvantageScaling, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._scaling = scaling
        local = self.args.per_device_train_batch_size * self.args.steps_per_generation
        if scaling.reading != 'none' and local % self.num_generations:
            raise ValueError(
                f'{local} answers per process and generation hold no whole groups of '
                f'{self.num_generations}; make per_device_train_batch_size * '
                'steps_per_generation a multiple of num_generations')

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self._scaling.reading == 'none':
            return output
        mode = 'train' if self.model.training else 'eval'
        size = self.num_generations if mode == 'train' else self.num_generations_eval
        centred = output['advantages'].double().cpu().numpy().reshape(-1, size)
        scaled = self._scaling(centred)
        output['advantages'] = torch.from_numpy(scaled.reshape(-1)).to(output['advantages'])
        near = (group_deviation(centred) < self._scaling.s_min).mean()
        self._metrics[mode]['advantages/near_ties'].append(float(near))
        self._metrics[mode]['advantages/largest'].append(float(abs(scaled).max()))
        return output

    def _generate_single_turn(self, prompt_ids: list[list[int]], images: Any,
                              multimodal_fields: dict[str, Any], *args: Any, **options: Any
                              ) -> tuple[list[list[int]], Any]:
        model = self.accelerator.unwrap_model(self.model_wrapped)
        if (images is None or self.use_vllm or not self._shares(model)
                or not can_sample(self.generation_config)):
            answers: tuple[list[list[int]], Any] = super()._generate_single_turn(
                prompt_ids, images, multimodal_fields, *args, **options)
            return answers
        device = self.accelerator.device
        shown = [[1] * len(row) for row in prompt_ids]
        ids, mask, kinds = (_padded(rows, value).to(device) for rows, value in (
            (prompt_ids, self._tokenizer.pad_token_id), (shown, 0),
            (multimodal_fields['mm_token_type_ids'], 0)))
        prompts = Prompts(ids, mask, kinds, multimodal_fields['pixel_values'].to(device),
                          multimodal_fields['image_grid_thw'].to(device), list(map(len, images)))
        return sample_answers(model, prompts, self.generation_config), None

    def _shares(self, model: nn.Module) -> bool:
        """Return whether prompts are read once; a sharded model must be read from its root."""
        return self.accelerator.num_processes == 1 and can_share(model)

    def _get_per_token_logps_and_entropies(
            self, model: nn.Module, input_ids: Tensor, attention_mask: Tensor,
            logits_to_keep: int, *args: Any, **fields: Any
            ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        if fields.get('pixel_values') is None or not self._shares(model):
            parts: tuple[Tensor, Tensor | None, Tensor | None] = (
                super()._get_per_token_logps_and_entropies(
                    model, input_ids, attention_mask, logits_to_keep, *args, **fields))
            return parts
        (ids, answers), (mask, said), (kinds, _) = (
            (rows[:, :-logits_to_keep], rows[:, -logits_to_keep:])
            for rows in (input_ids, attention_mask, fields['mm_token_type_ids']))
        prompts = Prompts(ids, mask, kinds, fields['pixel_values'], fields['image_grid_thw'],
                          fields['num_images'])
        return *answer_likelihoods(model, prompts, answers, said, self.temperature), None


def _padded(rows: list[list[int]], value: int) -> Tensor:
    """Return rows as one tensor, padded on the left."""
    longest = max(map(len, rows))
    return torch.tensor([[value] * (longest - len(row)) + list(row) for row in rows])


def policy_config(options: dict[str, Any], scaling: AdvantageScaling, stage: str = 'grpo'
                  ) -> GRPOConfig:
    """Return TRL's configuration; where advantages are ours, TRL leaves rewards centred.

    Raises:
        SettingsError: TRL does not know an option, or refuses its value.
    """
    if scaling.reading != 'none':
        options = options | {'scale_rewards': 'none'}
    return trl_config(GRPOConfig, options, stage)
