"""Configurations of stages: the shipped ones are read, mistakes are named."""

from pathlib import Path

import pytest

from rtrack_ros.training.configs import shipped_config
from rtrack_ros.training.stages.clipped_advantage import AdvantageScaling
from rtrack_ros.training.stages.rewards.registry import make_reward
from rtrack_ros.training.stages.settings import read_stages
from rtrack_ros.training.yaml_settings import SettingsError

SHIPPED = ('sft', 'grpo', 'gspo', 'nano_gspo', 'omnipt')


@pytest.mark.parametrize('name', SHIPPED)
def test_shipped_configurations_are_read(name: str) -> None:
    stages = read_stages(shipped_config(name))
    for stage in stages:
        for reward in stage.rewards:
            assert make_reward(reward['name'], reward.get('options'))
        group = stage.trainer.get('num_generations', 1)
        batch = stage.trainer['per_device_train_batch_size']
        assert batch * stage.trainer.get('steps_per_generation', 1) % group == 0


def test_gspo_is_what_its_paper_says_with_cas() -> None:
    (stage,) = read_stages(shipped_config('gspo'))
    wanted = {'importance_sampling_level': 'sequence', 'loss_type': 'grpo', 'epsilon': 3e-4,
              'epsilon_high': 4e-4, 'beta': 0.0, 'steps_per_generation': 4}
    assert wanted.items() <= stage.trainer.items()
    assert stage.advantages == AdvantageScaling('scale', 0.05, 2.0)


def test_omnipt_has_four_stages() -> None:
    methods = [stage.method for stage in read_stages(shipped_config('omnipt'))]
    assert methods == ['grpo', 'sft', 'sft', 'grpo']


@pytest.mark.parametrize('text, said', [
    ('name: a\nmethod: sft\nlearning_rate: 1', 'unknown entries learning_rate'),
    ('name: a\nmethod: dpo', 'choose one of sft, grpo'),
    ('name: a\nmethod: grpo', 'list rewards for grpo'),
    ('name: a\nmethod: sft\nadvantages: {reading: both}', 'none, advantage, scale'),
    ('name: a\nmethod: sft\ndata: {tasks: [ground, count]}', 'tasks count are unknown'),
    ('name: a\nmethod: grpo\nrewards: [{name: iou}]', 'no reward is called iou; choose among'),
    ('name: a\nmethod: sft\nearly_stop: {metric: loss}', 'early_stop needs metric and patience'),
    ('name: a\nmethod: sft\nearly_stop: {metric: loss, patiense: 3}', 'unknown entries patiense'),
    ('name: a\nmethod: sft\nearly_stop: {metric: loss, patience: 3.5}', 'a whole number'),
    ('name: a\nmethod: sft\ncompute_s: -1', 'compute_s is a time above 0'),
    ('name: a\nmethod: sft\ndata: {questions: many}', 'questions must be a whole number'),
    ('name: a\nmethod: grpo\nrewards: [{name: raw_overlap, wieght: 1}]', 'unknown entries wieght'),
    ('- 1', 'no configuration of stages'), ('method: sft', 'name')])
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / 'stage.yaml'
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_stages(path)
