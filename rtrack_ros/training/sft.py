"""Supervised training of rtrack-nano: dense heads first, then the language model on top."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rtrack_ros.training.batches import Batch, SequenceBuilder, draw_batch
from rtrack_ros.training.decoding import score_held_out
from rtrack_ros.training.forward import NanoForward
from rtrack_ros.training.losses import dense_loss, language_loss
from rtrack_ros.training.nano import IMAGE_SIZE, build_model, save_nano
from rtrack_ros.training.samples import Shard, read_shard, write_shard
from rtrack_ros.training.tokenizer import build_tokenizer

STAGES = ('dense', 'language')
CONSOLE = Console()


@dataclass
class Run:
    """A training run on disk: ``out`` holds data, checkpoint, log and the resulting model."""

    out: Path
    config: dict[str, Any]
    net: NanoForward
    builder: SequenceBuilder
    average: dict[str, torch.Tensor]
    stage: int = 0
    step: int = 0
    optimizer: torch.optim.Optimizer | None = None


def train(config_path: Path, out: Path, workers: int = 1) -> Path:
    """Train, resuming from ``out`` if a checkpoint is there; return the model's folder.

    Args:
        config_path: YAML as ``config/training/nano.yaml``.
        out: Folder of the run.
        workers: Processes that draw training frames beside the trainer.
    """
    config = yaml.safe_load(config_path.read_text())
    tokenizer = build_tokenizer()
    builder = SequenceBuilder(tokenizer)
    net = NanoForward(build_model(tokenizer, config['seed']), builder.numbers)
    run = Run(out, config, net, builder, deepcopy(net.state_dict()))
    _resume(run)
    if config['compile']:
        net.compile()
    with ProcessPoolExecutor(workers) as pool:
        futures = _order_shards(run, pool)
        while run.stage < len(STAGES):
            _train_stage(run, STAGES[run.stage], futures)
            run.stage, run.step, run.optimizer = run.stage + 1, 0, None
            _save(run)
    futures[0].result()
    net.load_state_dict(_better(run))
    save_nano(net.model, tokenizer, out / 'model')
    return out / 'model'


def _order_shards(run: Run, pool: ProcessPoolExecutor) -> list[Any]:
    data, folder = run.config['data'], run.out / 'data'
    held_out = pool.submit(write_shard, folder / 'held_out', 0, data['held_out_seed'],
                           data['held_out_frames'], IMAGE_SIZE)
    return [held_out, *(pool.submit(write_shard, folder / 'train', number, data['seed'],
                                    data['frames_per_shard'], IMAGE_SIZE)
                        for number in range(data['shards']))]


def _batches(run: Run, stage: str, settings: dict[str, Any], futures: list[Any]
             ) -> Iterator[dict[str, Batch]]:
    """Yield the batches of each step by loss; the pool of shards grows on a fixed schedule."""
    shards: list[Shard] = []
    composed = _composed(run)
    total = run.config['data']['shards']
    with ThreadPoolExecutor(1) as ahead:
        pending = None
        for step in range(run.step, settings['steps']):
            wanted = total if stage == 'language' else min(total, 1 + step * total // settings[
                'steps'])
            while len(shards) < wanted:
                futures[1 + len(shards)].result()
                shards.append(read_shard(run.out / 'data' / 'train', len(shards)))
            rng = np.random.default_rng((run.config['seed'], STAGES.index(stage), step + 1))
            following = ahead.submit(_draw, run.builder, stage, settings, list(shards), rng,
                                     composed)
            if pending is not None:
                yield pending.result()
            pending = following
        if pending is not None:
            yield pending.result()


def _draw(builder: SequenceBuilder, stage: str, settings: dict[str, Any], shards: list[Shard],
          rng: np.random.Generator, composed: list[Shard]) -> dict[str, Batch]:
    """Draw the batch of a step; beside it one for the tower alone, which learns cheaply."""
    share = settings.get('composed_share', 0.0)
    batches = {stage: draw_batch(builder, shards, rng, settings['images'],
                                 settings.get('sentences', 1), composed, share)}
    if 'dense_images' in settings:
        batches['dense'] = draw_batch(builder, shards, rng, settings['dense_images'], 1, composed,
                                      share)
    return batches


def _composed(run: Run) -> list[Shard]:
    """Return the frames composed of real clips, of the folder that the settings name, if any."""
    folder = run.config['data'].get('composed')
    if folder is None:
        return []
    numbers = sorted(int(path.stem) for path in Path(folder).glob('*.json'))
    if not numbers:
        raise FileNotFoundError(f'{folder} holds no shards; make them with rtrack compose, or '
                                'leave data.composed out')
    return [read_shard(Path(folder), number) for number in numbers]


def _train_stage(run: Run, stage: str, futures: list[Any]) -> None:
    settings = run.config[stage]
    if run.optimizer is None:
        run.optimizer = torch.optim.AdamW(_groups(run.net, run.config['weight_decay']),
                                          betas=(0.9, 0.98))
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn(), TextColumn('{task.fields[note]}'))
    with Progress(*columns, console=CONSOLE) as progress:
        task = progress.add_task(stage, total=settings['steps'], completed=run.step, note='')
        began, since = time.monotonic(), run.step
        for batches in _batches(run, stage, settings, futures):
            report: dict[str, float] = {}
            for loss, batch in batches.items():
                report = _step(run, loss, batch, _learning_rate(run, stage)) | report
            run.step += 1
            progress.update(task, completed=run.step, note=f'loss {report["loss"]:.3f}')
            if run.step % 25 == 0:
                rate = (run.step - since) / (time.monotonic() - began)
                _log(run, {'stage': stage, 'step': run.step, 'steps_per_s': round(rate, 3),
                           **report})
            if run.step % run.config['evaluate_steps'] == 0 and stage == 'language':
                futures[0].result()
                _log(run, {'stage': stage, 'step': run.step, **evaluate(run)})
            if run.step % run.config['checkpoint_steps'] == 0:
                _save(run)


def _step(run: Run, kind: str, batch: Batch, rate: float) -> dict[str, float]:
    """Take one step on the loss of stage ``kind``; return what to log."""
    assert run.optimizer is not None
    slower = run.config[kind].get('vision_rate', 1.0)
    for group in run.optimizer.param_groups:
        group['lr'] = rate * (slower if group['vision'] else 1.0)
    with torch.autocast('cpu', torch.bfloat16):
        if kind == 'dense':
            loss, report = dense_loss(run.net, run.net.see_training(batch.images).merged, batch,
                                      run.config['sigma'])
        else:
            loss, report = language_loss(run.net, run.builder, batch, run.config['sigma'])
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(run.net.parameters(), run.config['clip_norm'])
    run.optimizer.step()
    keep = min(run.config['average'], (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        for name, value in run.net.state_dict().items():
            if value.dtype.is_floating_point:
                run.average[name].lerp_(value, 1 - keep)
    return {'loss': round(float(loss.detach()), 4), 'gradient_norm': round(float(norm), 3),
            'learning_rate': rate, **{name: round(value, 4) for name, value in report.items()}}


def _learning_rate(run: Run, stage: str) -> float:
    """Warm up, stay, and come down linearly over the last ``decay_steps``."""
    settings = run.config[stage]
    left = settings['steps'] - run.step
    decay = settings.get('decay_steps', 0)
    fall = max(0.01, left / decay) if decay and left < decay else 1.0
    rise = min(1.0, (run.step + 1) / run.config['warmup_steps'])
    return float(settings['learning_rate'] * rise * fall)


def _groups(net: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return parameters by weight decay (matrices only) and by whether the tower holds them."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        key = (parameter.ndim >= 2, '.visual.' in name or name.startswith('vision_head'))
        groups.setdefault(key, []).append(parameter)
    return [{'params': parameters, 'weight_decay': weight_decay * matrix, 'vision': vision}
            for (matrix, vision), parameters in groups.items()]


def evaluate(run: Run) -> dict[str, float]:
    """Return held-out scores of the averaged weights on frames no training scene holds."""
    current = deepcopy(run.net.state_dict())
    scores = _score(run, run.average)
    run.net.load_state_dict(current)
    return scores


def _score(run: Run, weights: dict[str, torch.Tensor]) -> dict[str, float]:
    run.net.load_state_dict(weights)
    shard = read_shard(run.out / 'data' / 'held_out', 0)
    return score_held_out(run.net, run.builder, shard, run.config['evaluate_sentences'])


def _better(run: Run) -> dict[str, torch.Tensor]:
    """Return the last or the averaged weights, whichever answers held-out sentences better."""
    last = deepcopy(run.net.state_dict())
    return max((last, run.average), key=lambda weights: _score(run, weights)['f1_all'])


def _log(run: Run, entry: dict[str, Any]) -> None:
    with (run.out / 'log.jsonl').open('a') as stream:
        stream.write(json.dumps(entry) + '\n')


def _save(run: Run) -> None:
    run.out.mkdir(parents=True, exist_ok=True)
    draft = run.out / 'checkpoint.part'
    torch.save({'model': run.net.state_dict(), 'average': run.average, 'stage': run.stage,
                'step': run.step,
                'optimizer': run.optimizer.state_dict() if run.optimizer else None}, draft)
    draft.rename(run.out / 'checkpoint.pt')


def _resume(run: Run) -> None:
    path = run.out / 'checkpoint.pt'
    run.out.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return
    state = torch.load(path, weights_only=True)
    run.net.load_state_dict(state['model'])
    run.average, run.stage, run.step = state['average'], state['stage'], state['step']
    if state['optimizer'] is not None:
        run.optimizer = torch.optim.AdamW(_groups(run.net, run.config['weight_decay']),
                                          betas=(0.9, 0.98))
        run.optimizer.load_state_dict(state['optimizer'])
    CONSOLE.print(f'resuming {STAGES[min(run.stage, 1)]} at step {run.step}')
