"""Supervised training of rtrack-nano: dense heads first, then the language model on top."""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import PreTrainedTokenizerFast, Qwen3VLForConditionalGeneration

from rtrack_ros.child_processes import end_with_parent
from rtrack_ros.data.pairs import DataError
from rtrack_ros.engines.registry import DEFAULT_MODEL_NAME, default_model
from rtrack_ros.files import alone_in, is_whole, whole_file
from rtrack_ros.provenance import claim, data_digest, model_digest
from rtrack_ros.training.failure import require_finite
from rtrack_ros.training.models.checkpoint import read_checkpoint
from rtrack_ros.training.models.nano import build_model, save_nano
from rtrack_ros.training.models.qwen import load_model
from rtrack_ros.training.models.tokenizer import build_tokenizer
from rtrack_ros.training.nano.batch_feed import STAGES, Feed
from rtrack_ros.training.nano.batches import Batch
from rtrack_ros.training.nano.decoding import score_closeups, score_held_out
from rtrack_ros.training.nano.forward import NanoForward
from rtrack_ros.training.nano.losses import dense_loss, language_loss
from rtrack_ros.training.nano.sequences import SequenceBuilder
from rtrack_ros.training.nano.settings import read_nano
from rtrack_ros.training.precision import training_device, training_precision
from rtrack_ros.training.training_log import append_entry, keep_entries
from rtrack_ros.training.yaml_settings import SettingsError

CONSOLE = Console()
TAUGHT: Final = ('ground', 'locate', 'verify', 'describe')
"""Tasks of the questions in a run, those after the first where there are close-ups."""


@dataclass
class TrainingRun:
    """A training run on disk: ``out`` holds data, checkpoint, log and the resulting model."""

    out: Path
    config: dict[str, Any]
    net: NanoForward
    builder: SequenceBuilder
    average: dict[str, torch.Tensor]
    stage: int = 0
    step: int = 0
    optimizer: torch.optim.Optimizer | None = None

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.net.model.device


def train(config_path: Path, out: Path, workers: int = 1, loaders: int = 0) -> Path:
    """Train, on a GPU where there is one; return the model's folder.

    A run whose checkpoint lies in ``out`` is resumed; one that is done is left as it is.

    Args:
        config_path: YAML as ``training/configs/nano.yaml``; its first run, see ``nano.recipe`` for
            all of them.
        out: Folder of the run.
        workers: Processes that draw training frames beside the trainer.
        loaders: Processes that draw batches from them; with 0 the trainer does it itself.

    Raises:
        SettingsError: the configuration cannot be used.
        DataError: composed frames that it names are not there.
        ProvenanceError: ``out`` holds another run, or shards of other settings.
        FolderInUseError: another process trains there.
        TrainingError: a loss is no number any more.
    """
    return train_config(read_nano(config_path), out, workers, loaders)


def train_config(config: dict[str, Any], out: Path, workers: int = 1, loaders: int = 0) -> Path:
    """Train as :func:`train` does, by the content of a configuration; ``recipe`` is left out."""
    config = {name: value for name, value in config.items() if name != 'recipe'}
    with alone_in(out):
        claim(out, _inputs(config), begun=(out / 'checkpoint.pt').exists())
        return out / 'model' if is_whole(out / 'model') else _train(config, out, workers, loaders)


def _train(config: dict[str, Any], out: Path, workers: int, loaders: int) -> Path:
    tokenizer = build_tokenizer()
    builder = SequenceBuilder(tokenizer)
    device = training_device()
    net = NanoForward(_first_model(config, tokenizer), builder.numbers).to(device)
    run = TrainingRun(out, config, net, builder, deepcopy(net.state_dict()))
    _resume(run)
    if config['compile']:
        net.compile()
    with ProcessPoolExecutor(workers, initializer=end_with_parent) as pool:
        feed = Feed(config, out / 'data', builder, pool, loaders, device.type == 'cuda')
        while run.stage < len(STAGES):
            _train_stage(run, STAGES[run.stage], feed)
            run.stage, run.step, run.optimizer = run.stage + 1, 0, None
            _save(run)
        net.load_state_dict(_better(run, feed))
    tasks = TAUGHT if 'closeups' in config['data'] else TAUGHT[:1]
    save_nano(net.model.cpu(), tokenizer, out / 'model', tasks)
    return out / 'model'


def _inputs(config: dict[str, Any]) -> dict[str, Any]:
    """Return what a run follows from; the weights to begin with may be named in several ways."""
    composed = config['data'].get('composed')
    if composed is not None and not Path(composed).is_dir():
        raise DataError(f'there is no folder {composed}, which data.composed names; make it with '
                        'rtrack compose, or leave the entry out')
    return {'settings': {name: value for name, value in config.items() if name != 'initial'},
            'initial': [model_digest(folder) for folder in _initial(config)],
            'composed': composed and data_digest(Path(composed))}


def _initial(config: dict[str, Any]) -> list[Path]:
    """Return the folders of the weights to begin with, none where they are fresh.

    Raises:
        SettingsError: one is not there.
    """
    named = config.get('initial') or []
    folders = [_model_folder(name) for name in ([named] if isinstance(named, str) else named)]
    for folder in folders:
        if not folder.is_dir():
            raise SettingsError(f'initial names {folder}, which is not there')
    return folders


def _first_model(config: dict[str, Any], tokenizer: PreTrainedTokenizerFast
                 ) -> Qwen3VLForConditionalGeneration:
    """Return what training begins with: fresh weights, or those that ``initial`` names.

    Weights of several folders are averaged, which gains where all of them went on from the same
    (model soups, Wortsman et al., ICML 2022).
    """
    folders = _initial(config)
    if not folders:
        return build_model(tokenizer, config['seed'])
    torch.manual_seed(config['seed'])
    first, *others = (load_model(folder, 'float32', 'eager', train_vision=True)
                      for folder in folders)
    assert isinstance(first, Qwen3VLForConditionalGeneration)
    average_models(first, others)
    return first


def average_models(first: torch.nn.Module, others: Sequence[torch.nn.Module]) -> None:
    """Make the weights of the first model the average of all."""
    with torch.no_grad():
        for number, other in enumerate(others, start=2):
            torch._foreach_lerp_(list(first.parameters()), list(other.parameters()), 1 / number)


def _model_folder(named: str) -> Path:
    """Return a folder of weights; the name of the model of the package stands for its folder."""
    folder = Path(named)
    return default_model() if named == DEFAULT_MODEL_NAME and not folder.is_dir() else folder


def _train_stage(run: TrainingRun, stage: str, feed: Feed) -> None:
    settings = run.config[stage]
    if run.optimizer is None:
        run.optimizer = _optimizer(run)
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn(), TextColumn('{task.fields[note]}'))
    with Progress(*columns, console=CONSOLE) as progress:
        task = progress.add_task(stage, total=settings['steps'], completed=run.step, note='')
        began, since = time.monotonic(), run.step
        for batches in feed.batches(stage, run.step):
            report: dict[str, float] = {}
            for loss, batch in batches.items():
                here = batch.to(run.device)
                report = _step(run, loss, here, _learning_rate(run, stage)) | report
            run.step += 1
            progress.update(task, completed=run.step, note=f'loss {report["loss"]:.3f}')
            if run.step % 25 == 0:
                rate = (run.step - since) / (time.monotonic() - began)
                _log(run, {'stage': stage, 'step': run.step, 'steps_per_s': round(rate, 3),
                           **report})
            if run.step % run.config['evaluate_steps'] == 0 and stage == 'language':
                _log(run, {'stage': stage, 'step': run.step, **evaluate(run, feed)})
            if run.step % run.config['checkpoint_steps'] == 0:
                _save(run)


def _step(run: TrainingRun, kind: str, batch: Batch, rate: float) -> dict[str, float]:
    """Take one step on the loss of stage ``kind``; return what to log."""
    assert run.optimizer is not None
    settings = run.config[kind]
    slower, heads_only = settings.get('vision_rate', 1.0), run.step < settings.get('head_steps', 0)
    for group in run.optimizer.param_groups:
        share = float(group['head']) if heads_only else slower if group['vision'] else 1.0
        group['lr'] = rate * share
    with training_precision(run.device):
        if kind == 'dense':
            loss, report = dense_loss(run.net, run.net.see_training(batch.images).merged, batch,
                                      run.config['sigma'])
        else:
            loss, report = language_loss(run.net, run.builder, batch, run.config['sigma'],
                                         settings.get('heads', True))
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(run.net.parameters(), run.config['clip_norm'])
    require_finite(f'{kind}, step {run.step}', loss=float(loss.detach()), gradient=float(norm))
    run.optimizer.step()
    _average(run)
    return {'loss': round(float(loss.detach()), 4), 'gradient_norm': round(float(norm), 3),
            'learning_rate': rate, **{name: round(value, 4) for name, value in report.items()}}


def _average(run: TrainingRun) -> None:
    """Move the averaged weights a little towards those of this step."""
    keep = min(run.config['average'], (1 + run.step) / (10 + run.step))
    now = dict(run.net.named_parameters())  # tied weights once: their averages are tied too
    with torch.no_grad():
        torch._foreach_lerp_([run.average[name] for name in now], list(now.values()), 1 - keep)


def _optimizer(run: TrainingRun) -> torch.optim.Optimizer:
    return torch.optim.AdamW(_groups(run.net, run.config['weight_decay']), betas=(0.9, 0.98),
                             fused=run.device.type == 'cuda')


def _learning_rate(run: TrainingRun, stage: str) -> float:
    """Warm up, stay, and come down linearly over the last ``decay_steps``."""
    settings = run.config[stage]
    left = settings['steps'] - run.step
    decay = settings.get('decay_steps', 0)
    fall = max(0.01, left / decay) if decay and left < decay else 1.0
    rise = min(1.0, (run.step + 1) / run.config['warmup_steps'])
    return float(settings['learning_rate'] * rise * fall)


def _groups(net: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return parameters by weight decay (matrices only), tower or not, dense head or not."""
    groups: dict[tuple[bool, bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        key = (parameter.ndim >= 2, '.visual.' in name or name.startswith('vision_head'),
               name.startswith(('vision_head', 'language_head')))
        groups.setdefault(key, []).append(parameter)
    return [{'params': parameters, 'weight_decay': weight_decay * matrix, 'vision': vision,
             'head': head} for (matrix, vision, head), parameters in groups.items()]


def evaluate(run: TrainingRun, feed: Feed) -> dict[str, float]:
    """Return held-out scores of the averaged weights on frames no training scene holds."""
    current = deepcopy(run.net.state_dict())
    scores = _score(run, feed, run.average)
    closeups = feed.held_out_closeups()
    if closeups is not None:
        scores |= score_closeups(run.net, run.builder, closeups, 1)
    run.net.load_state_dict(current)
    return scores


def _score(run: TrainingRun, feed: Feed, weights: dict[str, torch.Tensor]) -> dict[str, float]:
    run.net.load_state_dict(weights)
    return score_held_out(run.net, run.builder, feed.held_out(), run.config['evaluate_sentences'])


def _better(run: TrainingRun, feed: Feed) -> dict[str, torch.Tensor]:
    """Return the last or the averaged weights, whichever answers held-out sentences better."""
    last = deepcopy(run.net.state_dict())
    return max((last, run.average), key=lambda weights: _score(run, feed, weights)['f1_all'])


def _log(run: TrainingRun, entry: dict[str, Any]) -> None:
    append_entry(run.out / 'log.jsonl', entry)


def _save(run: TrainingRun) -> None:
    with whole_file(run.out / 'checkpoint.pt') as draft:
        torch.save({'model': run.net.state_dict(), 'average': run.average, 'stage': run.stage,
                    'step': run.step,
                    'optimizer': run.optimizer.state_dict() if run.optimizer else None}, draft)


def _resume(run: TrainingRun) -> None:
    path = run.out / 'checkpoint.pt'
    run.out.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return
    state = read_checkpoint(path, run.device)
    run.net.load_state_dict(state['model'])
    run.average, run.stage, run.step = state['average'], state['stage'], state['step']
    if state['optimizer'] is not None:
        run.optimizer = _optimizer(run)
        run.optimizer.load_state_dict(state['optimizer'])
    keep_entries(run.out / 'log.jsonl', lambda entry: (
        STAGES.index(entry['stage']), entry['step']) <= (run.stage, run.step))
    CONSOLE.print(f'resuming {STAGES[min(run.stage, 1)]} at step {run.step}')
