"""Running stages of learning on TRL, each from a model folder to a model folder."""

import importlib.util
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from transformers import PreTrainedModel, PrinterCallback, Trainer, TrainerCallback
from trl import GRPOConfig, SFTConfig, SFTTrainer

from rtrack_ros.data.pairs import DataError
from rtrack_ros.engines.base import TASKS
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.files import alone_in, disk_is_full, is_whole, write_whole
from rtrack_ros.language.grammar import writable_label
from rtrack_ros.provenance import claim, data_digest, model_digest
from rtrack_ros.training.failure import TrainingError
from rtrack_ros.training.models.qwen import load_model, load_processor, read_manifest, save_folder
from rtrack_ros.training.stages.checkpoints import (
    LastStep,
    Processes,
    SealedCheckpoints,
    StageEnded,
    check_finite,
    checkpoints,
    newest_whole,
)
from rtrack_ros.training.stages.compute_budget import ComputeBudget
from rtrack_ros.training.stages.curves import draw_curves, read_log
from rtrack_ros.training.stages.grpo import PolicyTrainer, policy_config
from rtrack_ros.training.stages.monitor import EarlyStop, Rehearsal, StageMonitor, StepReached
from rtrack_ros.training.stages.ranks import decided_by_first, join, rank
from rtrack_ros.training.stages.records import as_dataset
from rtrack_ros.training.stages.rewards.registry import make_reward
from rtrack_ros.training.stages.settings import DataSettings, ModelSettings, StageSettings
from rtrack_ros.training.stages.shared_vision import share_vision
from rtrack_ros.training.stages.trl_options import check_options, trl_config
from rtrack_ros.training.tasks.clips import (
    SIMULATION,
    Clip,
    clips_as_text,
    labels_of,
    most_meant,
    open_clips,
)
from rtrack_ros.training.tasks.ground import Ground, Task
from rtrack_ros.training.tasks.locate import Locate, Reader
from rtrack_ros.training.tasks.verify_describe import Describe, Verify
from rtrack_ros.training.yaml_settings import SettingsError

REHEARSAL: Mapping[str, Any] = {
    'per_device_train_batch_size': 2, 'gradient_accumulation_steps': 1, 'max_steps': 1,
    'dataloader_num_workers': 0, 'max_grad_norm': 0.0}  # the norm is reported as it is
REHEARSED_ANSWERS: Mapping[str, Any] = {
    'num_generations': 2, 'steps_per_generation': 1, 'max_completion_length': 24,
    # Random weights never end an answer; the loss of a cut one must count here.
    'mask_truncated_completions': False, 'use_vllm': False}


def _silent(text: str) -> None:
    pass


def run_stages(stages: Sequence[StageSettings], model: Path, source: str, out: Path,
               say: Callable[[str], None] = _silent) -> Path:
    """Run stages one after another, each from the model the last one wrote.

    A stage whose model is there, whole and made from the same model, data and settings, is passed
    over; one that was stopped resumes from its newest whole checkpoint.

    Args:
        stages: What to do.
        model: Folder to start from.
        source: 'simulation', or the folder of a data set.
        out: Folder of the run; stage ``name`` writes to ``out/name``.
        say: Tells what was done; in the first of several processes only.

    Returns:
        The folder of the last model.

    Raises:
        EngineError: there is no model to start from.
        DataError: there is no data to learn from.
        ProvenanceError: ``out`` holds a stage that was made from something else.
        FolderInUseError: another process trains there.
        TrainingError: a stage cannot go on, such as on a full disk.
    """
    join()
    for stage in stages:
        folder, first = out / stage.name, rank() == 0
        with _room(folder), ExitStack() as held:
            decided_by_first(partial(_hold, folder, held))
            done = decided_by_first(partial(_is_done, stage, model, source, folder))
            if not done:
                run_stage(stage, model, source, folder, say if first else _silent)
        model = folder / 'model'
        if first:
            say(f'{model} is there already, from the same model, data and settings; nothing was '
                'done' if done else f'wrote {model}')
    return model


def _hold(folder: Path, held: ExitStack) -> None:
    held.enter_context(alone_in(folder))


def _is_done(stage: StageSettings, model: Path, source: str, out: Path) -> bool:
    """Return whether a stage has its model; make sure that what is there belongs to it.

    Raises:
        EngineError, DataError: model or data are not there.
        ProvenanceError: something else was made here.
    """
    read_manifest(model, stage.model.image_size)
    if source != SIMULATION and not Path(source).is_dir():
        raise DataError(f'there is no folder {source}; name the one that holds the data set, or '
                        f'{SIMULATION}')
    begun = bool(checkpoints(out)) or (out / 'model').exists()
    claim(out, {'settings': asdict(stage), 'model': model_digest(model),
                'data': source if source == SIMULATION else data_digest(Path(source))},
          'choose another --out, or remove it to begin anew', begun)
    return is_whole(out / 'model')


@contextmanager
def _room(out: Path) -> Iterator[None]:
    """Say what a full disk means, and remove what was begun on it.

    Raises:
        TrainingError: the disk is full.
    """
    try:
        yield
    except Exception as error:
        if not disk_is_full(error):
            raise
        for path in checkpoints(out):
            if not is_whole(path):
                shutil.rmtree(path, ignore_errors=True)
        raise TrainingError(f'{out}: the disk is full; make room and give the same command again, '
                            'it goes on from the last checkpoint') from error


def run_stage(stage: StageSettings, model: Path, source: str, out: Path,
              say: Callable[[str], None] = _silent) -> Path:
    """Run one stage; return the model's folder ``out/model``.

    Args:
        stage: What to do.
        model: Folder to start from.
        source: 'simulation', or the folder of a data set.
        out: Folder of the stage.
        say: Told what is learned from, and what is left out.

    Raises:
        TrainingError: weights or losses are no numbers any more.
    """
    clips = open_clips(source, stage.data.layout, stage.data.seed, stage.data.scenes)
    before = read_manifest(model, stage.model.image_size)
    manifest = taught(before, stage, clips)
    say(f'{stage.name}: {clips_as_text(clips)}')
    for line in _notes(stage, before, manifest):
        say(f'{stage.name}: {line}')
    trainer = build_trainer(stage, model, source, out, manifest, clips)
    resumed = decided_by_first(lambda: newest_whole(out))
    _learn(trainer, resumed, stage.name)
    check_finite(trainer.model, 'at the end of the stage')
    weights = out / ('adapter' if stage.model.lora else 'weights')
    trainer.save_model(str(weights))
    if trainer.is_world_process_zero():
        trained = load_model(model if stage.model.lora else weights, 'auto', 'eager', True)
        if stage.model.lora:
            trained = PeftModel.from_pretrained(trained, weights).merge_and_unload()
        _draw(out)
        save_folder(trained, model, manifest, out / 'model')
    trainer.accelerator.wait_for_everyone()
    return out / 'model'


def _learn(trainer: Trainer, resumed: Path | None, name: str) -> None:
    """Take all steps that are left.

    Raises:
        SettingsError: the trainer refuses the settings only when it computes.
    """
    begun = int(resumed.name.rpartition('-')[2]) if resumed is not None else 0
    try:
        trainer.train(resume_from_checkpoint=None if resumed is None else str(resumed))
    except StageEnded:
        pass
    except (ValueError, NotImplementedError) as error:
        if trainer.state.global_step > begun or type(error) not in (ValueError,
                                                                    NotImplementedError):
            raise
        raise SettingsError(f'stage {name}: TRL refuses these settings: {error}') from error


def taught(manifest: ModelManifest, stage: StageSettings, clips: Sequence[Clip]) -> ModelManifest:
    """Return the manifest of what a stage teaches: what it asks belongs to what the model can do.

    Tasks are added; where answers are taught, labels and the number of boxes too. The grammar of
    the engines follows the manifest.
    """
    tasks = tuple(name for name in TASKS if name in (*manifest.tasks, *stage.data.tasks))
    if stage.method != 'sft':
        return replace(manifest, tasks=tasks)
    words = sorted({writable_label(word, manifest.labels) for word in labels_of(clips)})
    labels = tuple(dict.fromkeys((*manifest.labels, *words))) if manifest.labels else ()
    return replace(manifest, tasks=tasks, labels=labels,
                   max_boxes=max(manifest.max_boxes, most_meant(clips)))


def _notes(stage: StageSettings, before: ModelManifest, after: ModelManifest) -> Iterator[str]:
    """Yield what a user may not expect."""
    if stage.unrewarded:
        yield (f'no reward judges the answers of {", ".join(stage.unrewarded)}; these questions '
               'teach nothing')
    added = sorted(set(after.labels) - set(before.labels))
    if added:
        yield f'the model learns the labels {", ".join(added)} besides its own'
    if after.max_boxes > before.max_boxes:
        yield (f'answers of up to {after.max_boxes} boxes are taught; engines write them with '
               f'engine.max_boxes {after.max_boxes}')


def _draw(out: Path) -> None:
    """Draw the curves of the stage, where matplotlib is there to do it."""
    if importlib.util.find_spec('matplotlib') is not None:
        svg = draw_curves(read_log(out / 'log.jsonl'))
        write_whole(out / 'curves.svg', svg)


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
    clips = open_clips(source, data.layout, data.seed, data.scenes)
    manifest = taught(read_manifest(model, stage.model.image_size), stage, clips)
    trainer = build_trainer(short, model, source, out, manifest, clips)
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
                  manifest: ModelManifest, clips: Sequence[Clip] | None = None) -> Trainer:
    """Return the trainer of a stage, with data, model and callbacks.

    Args:
        stage: What to do.
        model: Folder to start from.
        source: 'simulation', or the folder of a data set.
        out: Folder of the stage.
        manifest: How the model reads images and writes boxes.
        clips: Those of the source, where they are open already.

    Raises:
        SettingsError: TRL does not know an option, or refuses its value.
    """
    config = _config(stage, out)  # mistakes are said before anything large is loaded
    out.mkdir(parents=True, exist_ok=True)
    if clips is None:
        clips = open_clips(source, stage.data.layout, stage.data.seed, stage.data.scenes)
    callbacks: list[TrainerCallback] = [StageMonitor(stage.name, out / 'log.jsonl')]
    if stage.compute_s is not None:
        callbacks.insert(0, ComputeBudget(stage.compute_s))
    if stage.early_stop is not None:
        callbacks.append(EarlyStop(**stage.early_stop))
    # What they keep is part of a checkpoint, which is sealed last.
    callbacks += [Processes(), LastStep(),
                  SealedCheckpoints(stage.trainer.get('save_total_limit'))]
    dataset = as_dataset(make_tasks(stage.data, clips, manifest), manifest,
                         answered=stage.method == 'sft')
    dtype = stage.model.dtype if torch.cuda.is_available() else 'float32'
    shared = {'model': load_model(model, dtype, stage.model.attention, stage.model.train_vision),
              'train_dataset': dataset, 'callbacks': callbacks,
              'processing_class': load_processor(model, manifest),
              'peft_config': _adapter(stage.model)}
    try:
        if stage.method == 'sft':
            return _ready(SFTTrainer(args=config, **shared))
        rewards = [make_reward(item['name'], item.get('options')) for item in stage.rewards]
        return _ready(PolicyTrainer(args=config, reward_funcs=rewards, scaling=stage.advantages,
                                    **shared))
    except DataError:
        raise
    except (ValueError, ImportError) as error:  # such as vLLM, which is not installed
        raise SettingsError(f'stage {stage.name}: TRL refuses these settings: {error}') from error


def _config(stage: StageSettings, out: Path) -> SFTConfig | GRPOConfig:
    """Return TRL's configuration of a stage."""
    options = trainer_options(stage, out)
    # What this machine replaces is checked too.
    check_options(SFTConfig if stage.method == 'sft' else GRPOConfig, stage.trainer, stage.name)
    if stage.method == 'sft':
        return trl_config(SFTConfig, options, stage.name)
    weights = [float(item.get('weight', 1.0)) for item in stage.rewards]
    return policy_config(options | {'reward_weights': weights}, stage.advantages, stage.name)


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
    try:
        return LoraConfig(task_type='CAUSAL_LM', **frozen, **settings.lora)
    except (TypeError, ValueError) as error:
        raise SettingsError(f'lora: PEFT refuses these settings: {error}') from error


def trainer_options(stage: StageSettings, out: Path) -> dict[str, Any]:
    """Return TRL's arguments: those of the stage, with what follows from machine and data."""
    fixed = {'output_dir': str(out), 'remove_unused_columns': False, 'disable_tqdm': True,
             'report_to': 'none', 'run_name': stage.name,
             'logging_nan_inf_filter': False,  # it shows the mean of earlier losses instead
             'save_total_limit': None}  # the oldest go when the newest is whole, see checkpoints
    if torch.cuda.is_available():
        return dict(stage.trainer) | fixed
    # Half precision and recomputation pay on a GPU; a CPU loses time by both.
    return dict(stage.trainer) | fixed | {'use_cpu': True, 'bf16': False,
                                          'activation_checkpointing': False}


def make_tasks(data: DataSettings, clips: Sequence[Clip], manifest: ModelManifest) -> list[Task]:
    """Return the tasks of a stage, each with an equal share of the questions."""
    share = data.questions // len(data.tasks)
    reader = Reader(manifest.prompt, manifest.image_size, manifest.bbox_protocol)
    makers: Mapping[str, Callable[[], Task]] = {
        'ground': lambda: Ground(clips, manifest.prompt, share, data.absent_share, data.seed),
        'locate': lambda: Locate(clips, reader, share, data.absent_share, data.seed),
        'verify': lambda: Verify(clips, reader, share, data.seed),
        'describe': lambda: Describe(clips, reader, share, data.seed)}
    return [makers[name]() for name in data.tasks]
