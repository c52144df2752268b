"""Reinforcement learning: TRL's GRPOTrainer with Clipped Advantage Scaling, and nothing else.

GSPO is a setting of that trainer (``importance_sampling_level: sequence``, ``loss_type: grpo``;
arXiv 2507.18071). With CAS the trainer is told not to scale (``scale_rewards: none``) and hands
back rewards less the mean of their group, groups still contiguous; they are scaled here.
"""

from typing import Any

import torch
from trl import GRPOConfig, GRPOTrainer

from rtrack_ros.training.clipped_advantage import AdvantageScaling, group_deviation


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


def policy_config(options: dict[str, Any], scaling: AdvantageScaling) -> GRPOConfig:
    """Return TRL's configuration; where advantages are ours, TRL leaves rewards centred."""
    if scaling.reading != 'none':
        options = options | {'scale_rewards': 'none'}
    return GRPOConfig(**options)
