"""Running stages of learning on TRL, each from a model folder to a model folder."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from transformers import PreTrainedModel, PrinterCallback, Trainer, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

from rtrack_ros.engines.base import TASKS
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.training.models.qwen import load_model, load_processor, read_manifest, save_folder
from rtrack_ros.training.stages.compute_budget import ComputeBudget
from rtrack_ros.training.stages.curves import draw_curves, read_log
from rtrack_ros.training.stages.grpo import PolicyTrainer, policy_config
from rtrack_ros.training.stages.monitor import EarlyStop, Rehearsal, StageMonitor, StepReached
from rtrack_ros.training.stages.records import as_dataset
from rtrack_ros.training.stages.rewards.registry import make_reward
from rtrack_ros.training.stages.settings import DataSettings, ModelSettings, StageSettings
from rtrack_ros.training.stages.shared_vision import share_vision
from rtrack_ros.training.tasks.clips import open_clips
from rtrack_ros.training.tasks.ground import Ground, Task
from rtrack_ros.training.tasks.locate import Locate, Reader
from rtrack_ros.training.tasks.verify_describe import Describe, Verify

REHEARSAL: Mapping[str, Any] = {
    'per_device_train_batch_size': 2, 'gradient_accumulation_steps': 1, 'max_steps': 1,
    'dataloader_num_workers': 0, 'max_grad_norm': 0.0}  # the norm is reported as it is
REHEARSED_ANSWERS: Mapping[str, Any] = {
    'num_generations': 2, 'steps_per_generation': 1, 'max_completion_length': 24,
    # Random weights never end an answer; the loss of a cut one must count here.
    'mask_truncated_completions': False, 'use_vllm': False}


def run_stages(stages: Sequence[StageSettings], model: Path, source: str, out: Path) -> Path:
    """Run stages one after another, each from the model the last one wrote.

    A stage whose model is written already is passed over; the one that was stopped resumes from
    its last checkpoint.

    Args:
        stages: What to do.
        model: Folder to start from.
        source: 'simulation', or the folder of a data set.
        out: Folder of the run; stage ``name`` writes to ``out/name``.

    Returns:
        The folder of the last model.
    """
    for stage in stages:
        folder = out / stage.name
        if not (folder / 'model' / 'config.json').is_file():
            run_stage(stage, model, source, folder)
        model = folder / 'model'
    return model


def run_stage(stage: StageSettings, model: Path, source: str, out: Path) -> Path:
    """Run one stage; return the model's folder ``out/model``."""
    manifest = read_manifest(model, stage.model.image_size)
    trainer = build_trainer(stage, model, source, out, manifest)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(out)))
    weights = out / ('adapter' if stage.model.lora else 'weights')
    trainer.save_model(str(weights))
    if trainer.is_world_process_zero():
        trained = load_model(model if stage.model.lora else weights, 'auto', 'eager', True)
        if stage.model.lora:
            trained = PeftModel.from_pretrained(trained, weights).merge_and_unload()
        save_folder(trained, model, _taught(manifest, stage.data.tasks), out / 'model')
        _draw(out)
    trainer.accelerator.wait_for_everyone()
    return out / 'model'


def _taught(manifest: ModelManifest, tasks: Sequence[str]) -> ModelManifest:
    """Return the manifest with the tasks of a stage among those the model can do."""
    return replace(manifest, tasks=tuple(name for name in TASKS
                                         if name in (*manifest.tasks, *tasks)))


def _draw(out: Path) -> None:
    """Draw the curves of the stage, where matplotlib is there to do it."""
    if importlib.util.find_spec('matplotlib') is not None:
        svg = draw_curves(read_log(out / 'log.jsonl'))
        (out / 'curves.svg').write_text(svg, encoding='utf-8')


def rehearse(stage: StageSettings, model: Path, source: str, out: Path) -> dict[str, Any]:
    """Do everything up to the first optimisation step, on two questions; return what was seen.

    Model, adapter, data, prompts, sampling, rewards, advantages and gradients are made as in the
    real run; the batch is small and the answers are short.
    """
    options = {**stage.trainer, **REHEARSAL}
    if stage.method == 'grpo':
        options |= dict(REHEARSED_ANSWERS)
    data = replace(stage.data, questions=4 * len(stage.data.tasks))
    short = replace(stage, trainer=options, data=data, early_stop=None)
    manifest = read_manifest(model, stage.model.image_size)
    trainer = build_trainer(short, model, source, out, manifest)
    trainer.remove_callback(StageMonitor)
    trainer.add_callback(Rehearsal())
    try:
        trainer.train()
    except StepReached:
        return _seen(trainer, manifest)
    raise RuntimeError(f'stage {stage.name} ended before its first optimisation step')


def _seen(trainer: Trainer, manifest: ModelManifest) -> dict[str, Any]:
    learning = [value for value in trainer.model.parameters() if value.requires_grad]
    gradient = [value.grad for value in learning if value.grad is not None]
    norm = torch.stack([value.float().norm() for value in gradient]).norm() if gradient else 0.0
    return {'model': manifest.name, 'image_size': manifest.image_size,
            'bbox_protocol': manifest.bbox_protocol, 'questions': len(trainer.train_dataset),
            'parameters': sum(value.numel() for value in trainer.model.parameters()),
            'learning': sum(value.numel() for value in learning),
            'gradient_norm': float(norm), 'device': str(trainer.args.device)}


def build_trainer(stage: StageSettings, model: Path, source: str, out: Path,
                  manifest: ModelManifest) -> Trainer:
    """Return the trainer of a stage, with data, model and callbacks."""
    out.mkdir(parents=True, exist_ok=True)
    callbacks: list[TrainerCallback] = [StageMonitor(stage.name, out / 'log.jsonl')]
    if stage.compute_s is not None:
        callbacks.insert(0, ComputeBudget(stage.compute_s))
    if stage.early_stop is not None:
        callbacks.append(EarlyStop(**stage.early_stop))
    dataset = as_dataset(make_tasks(stage.data, source, manifest), manifest,
                         answered=stage.method == 'sft')
    options = trainer_options(stage, out)
    dtype = stage.model.dtype if torch.cuda.is_available() else 'float32'
    shared = {'model': load_model(model, dtype, stage.model.attention, stage.model.train_vision),
              'train_dataset': dataset, 'callbacks': callbacks,
              'processing_class': load_processor(model, manifest),
              'peft_config': _adapter(stage.model)}
    if stage.method == 'sft':
        return _ready(SFTTrainer(args=SFTConfig(**options), **shared))
    weights = [float(item.get('weight', 1.0)) for item in stage.rewards]
    rewards = [make_reward(item['name'], item.get('options')) for item in stage.rewards]
    config = policy_config(options | {'reward_weights': weights}, stage.advantages)
    return _ready(PolicyTrainer(args=config, reward_funcs=rewards, scaling=stage.advantages,
                                **shared))


def _ready(trainer: Trainer) -> Trainer:
    """Return the trainer without its own printing, its model sharing what it sees.

    The monitor has a bar and a log. Processes that hold parts of a tower must all call it, or
    none: there every image is encoded wherever it stands.
    """
    trainer.remove_callback(PrinterCallback)
    if trainer.accelerator.num_processes == 1 and isinstance(trainer.model, PreTrainedModel):
        share_vision(trainer.model)
    return trainer


def _adapter(settings: ModelSettings) -> LoraConfig | None:
    """Return the adapter a stage trains; the tower has layers of the same names."""
    if settings.lora is None:
        return None
    frozen = {} if settings.train_vision else {'exclude_modules': r'.*\bvisual\b.*'}
    return LoraConfig(task_type='CAUSAL_LM', **frozen, **settings.lora)


def trainer_options(stage: StageSettings, out: Path) -> dict[str, Any]:
    """Return TRL's arguments: those of the stage, with what follows from machine and data."""
    fixed = {'output_dir': str(out), 'remove_unused_columns': False, 'disable_tqdm': True,
             'report_to': 'none', 'run_name': stage.name}
    if torch.cuda.is_available():
        return dict(stage.trainer) | fixed
    # Half precision and recomputation pay on a GPU; a CPU loses time by both.
    return dict(stage.trainer) | fixed | {'use_cpu': True, 'bf16': False,
                                          'activation_checkpointing': False}


def make_tasks(data: DataSettings, source: str, manifest: ModelManifest) -> list[Task]:
    """Return the tasks of a stage, each with an equal share of the questions."""
    clips = open_clips(source, data.layout, data.seed, data.scenes)
    share = data.questions // len(data.tasks)
    reader = Reader(manifest.prompt, manifest.image_size, manifest.bbox_protocol)
    makers: Mapping[str, Callable[[], Task]] = {
        'ground': lambda: Ground(clips, manifest.prompt, share, data.absent_share, data.seed),
        'locate': lambda: Locate(clips, reader, share, data.absent_share, data.seed),
        'verify': lambda: Verify(clips, reader, share, data.seed),
        'describe': lambda: Describe(clips, reader, share, data.seed)}
    return [makers[name]() for name in data.tasks]
