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
    ('name: a\nmethod: grpo\nrewards: {name: raw_overlap}', 'rewards must be a list'),
    ('name: a\nmethod: grpo\nrewards: [raw_overlap]', 'rewards must hold entries'),
    ('name: a\nmethod: grpo\nrewards: [{name: raw_overlap, options: [1]}]', 'options must hold'),
    ('name: a\nmethod: sft\ntrainer: [1]', 'trainer must hold entries'),
    ('name: a\nmethod: sft\ntrainer:', 'trainer must hold entries'),
    ('name: a\nmethod: sft\nearly_stop: 5', 'early_stop must hold entries'),
    ('name: a\nmethod: sft\nearly_stop: {metric: loss, patience: 0}', 'between 1 and'),
    ('name: a\nmethod: sft\nearly_stop: {metric: 3, patience: 2}', 'metric must be text'),
    ('name: a\nmethod: sft\nmodel: {lora: 16}', 'lora must hold entries'),
    ('name: a\nmethod: sft\nmodel: {image_size: 448}', 'image_size must be a list'),
    ('name: a\nmethod: sft\nmodel: {image_size: [0, 448]}', 'image_size must lie between 1'),
    ('name: a\nmethod: sft\nmodel: {image_size: 640x480}', 'image_size must be a list'),
    ('name: a\nmethod: sft\ndata: {tasks: ground}', 'tasks must be a list'),
    ('name: a\nmethod: sft\ndata: {questions: 0}', 'questions must lie between 1'),
    ('name: a\nmethod: sft\ndata: {absent_share: 2}', 'absent_share must lie between 0 and 1'),
    ('name: a\nmethod: sft\ndata: {seed: -1}', 'seed must lie between 0'),
    ('name: a\nmethod: sft\ndata: {scenes: 0}', 'scenes must lie between 1'),
    ('name: a\nmethod: sft\ndata: {tasks: [ground, verify], questions: 1}', 'too few'),
    ('name: a\nmethod: sft\ntrainer: {report_to: wandb}', 'leave report_to out; log.jsonl'),
    ('name: a\nmethod: sft\ntrainer: {save_only_model: true}', 'leave save_only_model out'),
    ('name: a\nmethod: sft\ntrainer: {push_to_hub: true}', 'leave push_to_hub out'),
    ('name: ../a\nmethod: sft', 'name becomes a folder'),
    ('stages: [{name: a, method: sft}, {name: a, method: sft}]', '2 stages are called a'),
    ('- 1', 'no configuration of stages'), ('method: sft', 'name')])
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / 'stage.yaml'
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_stages(path)
