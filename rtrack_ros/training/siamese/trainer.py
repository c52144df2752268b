"""Training of the Siamese network: ``rtrack train siamese``.

Pairs are drawn first, into ``OUT/data``. Every batch follows from seed and step alone, and a run
that was stopped goes on from its last checkpoint.
"""

import json
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rtrack_ros.files import alone_in, whole_file
from rtrack_ros.provenance import claim, data_digest
from rtrack_ros.training.failure import require_finite
from rtrack_ros.training.models.checkpoint import read_checkpoint
from rtrack_ros.training.precision import training_precision
from rtrack_ros.training.siamese.batches import Data, draw_batch, draw_data
from rtrack_ros.training.siamese.network import (
    SiameseNet,
    export_onnx,
    place_loss,
    presence_loss,
)
from rtrack_ros.training.siamese.pairs import Pairs
from rtrack_ros.training.siamese.scores import as_tensors, evaluate
from rtrack_ros.training.siamese.settings import SiameseSettings, read_settings
from rtrack_ros.training.training_log import keep_entries
from rtrack_ros.training.yaml_settings import SettingsError

CONSOLE = Console()
_LOG_STEPS = 50
_MIN_RATE = 0.01


@dataclass
class TrainingRun:
    """A training run on disk: ``out`` holds data, checkpoint, log and the resulting network."""

    out: Path
    settings: SiameseSettings
    net: SiameseNet
    optimizer: torch.optim.Optimizer
    step: int = 0


def train(config: Path, out: Path, workers: int = 1) -> tuple[Path, Path]:
    """Train, resuming from ``out`` if a checkpoint is there; return the network's ONNX files.

    Args:
        config: YAML as ``training/configs/siamese.yaml``.
        out: Folder of the run.
        workers: Processes that draw pairs.

    Raises:
        SettingsError: an entry of the configuration is unknown or missing.
        DataError: a real clip is missing or unreadable.
        MotError: its labels are.
        ProvenanceError: ``out`` holds another run.
        FolderInUseError: another process trains there.
        TrainingError: a loss is no number any more.
        ModuleNotFoundError: the package onnx, which torch writes the result with, is not there.
    """
    import_module('onnx')  # missing, it is better missed before hours of training
    settings = read_settings(config)
    with alone_in(out):
        claim(out, _inputs(settings), begun=(out / 'checkpoint.pt').exists())
        run = begin(out, settings)
        learn(run, draw_data(settings, out / 'data', workers, CONSOLE))
        return export_onnx(run.net, out)


def _inputs(settings: SiameseSettings) -> dict[str, Any]:
    """Return what a run follows from."""
    folders = (settings.clips, settings.clip_labels) if settings.clips else ()
    for folder in folders:
        if not Path(folder).is_dir():
            raise SettingsError(f'there is no folder {folder}; correct clips and clip_labels')
    return {'settings': asdict(settings),
            'clips': [data_digest(Path(folder)) for folder in folders]}


def begin(out: Path, settings: SiameseSettings) -> TrainingRun:
    """Return a new run, or the one whose checkpoint lies in ``out``."""
    torch.manual_seed(settings.seed)
    # Channels last: a step costs a fifth less on a CPU.
    net = SiameseNet().to(memory_format=torch.channels_last)
    run = TrainingRun(out, settings, net, torch.optim.AdamW(net.parameters(),
                                                    weight_decay=settings.weight_decay))
    path = out / 'checkpoint.pt'
    if path.exists():
        state = read_checkpoint(path)
        net.load_state_dict(state['net'])
        run.optimizer.load_state_dict(state['optimizer'])
        run.step = state['step']
        keep_entries(out / 'log.jsonl', lambda entry: entry['step'] <= run.step)
        CONSOLE.print(f'resuming at step {run.step}')
    return run


def learn(run: TrainingRun, data: Data) -> None:
    """Take all steps that are left, and report the held-out scores in between and at the end."""
    settings, began, first = run.settings, time.monotonic(), run.step
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn(), TextColumn('{task.fields[note]}'))
    with Progress(*columns, console=CONSOLE) as progress:
        task = progress.add_task('steps', total=settings.steps, completed=run.step, note='')
        while run.step < settings.steps:
            report = take_step(run, draw_batch(data, settings, run.step))
            run.step += 1
            last = run.step == settings.steps
            progress.update(task, completed=run.step, note=f'loss {report["loss"]:.3f}')
            if run.step % _LOG_STEPS == 0 or last:
                rate = (run.step - first) / (time.monotonic() - began)
                _log(run, {'step': run.step, 'steps_per_s': rate, **report})
            if run.step % settings.evaluate_steps == 0 or last:
                _log(run, {'step': run.step, **evaluate(run.net, data.held_out)})
                _save(run)


def take_step(run: TrainingRun, batch: Pairs) -> dict[str, float]:
    """Take one step on a batch; return what to log."""
    rate = learning_rate(run.settings, run.step)
    for group in run.optimizer.param_groups:
        group['lr'] = rate
    template, search, places, visibility = as_tensors(batch)
    with training_precision():
        output = run.net(template, search)
    output = output.float()
    place, presence = place_loss(output, places, visibility), presence_loss(output, visibility)
    loss = place + run.settings.presence_weight * presence
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(run.net.parameters(), run.settings.clip_norm)
    require_finite(f'step {run.step}', loss=float(loss.detach()), gradient=float(norm))
    run.optimizer.step()
    return {'loss': loss.item(), 'place': place.item(), 'presence': presence.item(),
            'gradient_norm': norm.item(), 'learning_rate': rate}


def learning_rate(settings: SiameseSettings, step: int) -> float:
    """Return the rate of a step: it warms up, stays, and comes down linearly at the end."""
    rise = min(1.0, (step + 1) / settings.warmup_steps)
    left = (settings.steps - step) / max(settings.steps * settings.decay_share, 1)
    return settings.learning_rate * rise * min(1.0, max(_MIN_RATE, left))


def _log(run: TrainingRun, entry: dict[str, float]) -> None:
    with (run.out / 'log.jsonl').open('a', encoding='utf-8') as stream:
        stream.write(json.dumps({name: round(value, 5) for name, value in entry.items()}) + '\n')


def _save(run: TrainingRun) -> None:
    with whole_file(run.out / 'checkpoint.pt') as draft:
        torch.save({'net': run.net.state_dict(), 'optimizer': run.optimizer.state_dict(),
                    'step': run.step}, draft)
