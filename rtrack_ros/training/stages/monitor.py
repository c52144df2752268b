"""What a stage tells while it runs, and when it stops: log, progress, early stop, rehearsal."""

import math
from collections import deque
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rtrack_ros.training.failure import require_finite
from rtrack_ros.training.stages.checkpoints import Kept
from rtrack_ros.training.stages.ranks import decided_by_first
from rtrack_ros.training.training_log import append_entry, keep_entries
from rtrack_ros.training.yaml_settings import check_names

SHOWN = ('reward', 'loss', 'grad_norm', 'compute_s')
OF_LEARNING = ('loss', 'grad_norm')
"""Figures without which nothing is learned; others may be missing for a while."""


class StageMonitor(TrainerCallback):
    """Writes ``log.jsonl`` and shows a bar; the main process only.

    Args:
        name: Name of the stage.
        log: File of JSON lines, appended to when a run resumes.
    """

    def __init__(self, name: str, log: Path) -> None:
        self._name, self._log = name, log
        self._bar = Progress(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
                             TimeRemainingColumn(), TextColumn('{task.fields[note]}'),
                             console=Console(stderr=True))
        self._note = ''

    def on_train_begin(self, args: TrainingArguments, state: TrainerState,
                       control: TrainerControl, **_: Any) -> None:
        """Show the bar, from the step at which the run resumes; the log ends there too."""
        if state.is_world_process_zero:
            keep_entries(self._log, lambda entry: entry.get('step', 0) <= state.global_step)
            self._task = self._bar.add_task(self._name, total=state.max_steps,
                                            completed=state.global_step, note='')
            self._bar.start()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
                    **_: Any) -> None:
        """Move the bar."""
        if state.is_world_process_zero:
            self._bar.update(self._task, completed=state.global_step, note=self._note)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
               logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Append what the trainer reports; a figure that is no number is left out.

        A reward is none where no question of a batch has it.

        Raises:
            TrainingError: the loss or the gradient is no number.
        """
        if not logs:
            return
        require_finite(f'{self._name}, step {state.global_step}',
                       **{name: float(logs[name]) for name in OF_LEARNING
                          if logs.get(name) is not None})
        if not state.is_world_process_zero:
            return
        figures = {name: value for name, value in logs.items() if value is not None
                   and (not isinstance(value, float) or math.isfinite(value))}
        self._note = '  '.join(f'{name} {float(figures[name]):.3f}' for name in SHOWN
                               if name in figures)
        append_entry(self._log, {'stage': self._name, 'step': state.global_step, **figures})

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
                     **_: Any) -> None:
        """Take the bar away."""
        self._bar.stop()


class EarlyStop(Kept):
    """Ends a stage when a smoothed figure has not got better for a while.

    The first process decides for all. Checkpoints hold how long it has waited by then.

    Args:
        metric: Name in the log, for example 'reward' or 'loss'; larger is better unless it
            ends in 'loss'.
        patience: Logs without a better value before the stage ends.
        smoothing: Logs that are averaged, as rewards of few prompts are noisy.
    """

    NAME = 'early_stop.json'

    def __init__(self, metric: str, patience: int, smoothing: int = 1) -> None:
        self._metric, self._patience = metric, patience
        self._recent: deque[float] = deque(maxlen=smoothing)
        self._best: float | None = None
        self._waited = 0
        self._reported = False

    def kept(self) -> dict[str, Any]:
        """Return the values that are averaged, the best average, and how long that was ago."""
        return {'recent': list(self._recent), 'best': self._best, 'waited': self._waited}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on waiting."""
        self._recent = deque(kept.get('recent', ()), maxlen=self._recent.maxlen)
        self._best, self._waited = kept.get('best'), int(kept.get('waited', 0))

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
               logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Look at a report; ask the trainer to stop when patience is over.

        Raises:
            SettingsError: the first report of a step has no such figure: the end would never come.
        """
        if decided_by_first(lambda: self._over(logs or {})):
            control.should_training_stop = True

    def _over(self, logs: dict[str, Any]) -> bool:
        if not self._reported and ('loss' in logs or self._metric in logs):
            self._reported = True
            check_names({self._metric: None}, logs, 'early_stop: metric')
        value = logs.get(self._metric)
        if value is not None and math.isfinite(value):  # none where no question had the reward
            self._recent.append(-float(value) if self._metric.endswith('loss') else float(value))
            if len(self._recent) == self._recent.maxlen:
                self._judge(sum(self._recent) / len(self._recent))
        return self._waited >= self._patience

    def _judge(self, value: float) -> None:
        better = self._best is None or value > self._best
        self._best = value if better else self._best
        self._waited = 0 if better else self._waited + 1


class StepReached(Exception):
    """The first optimisation step was about to be taken."""


class Rehearsal(TrainerCallback):
    """Stops just before the optimiser moves: everything up to there has worked then."""

    def on_pre_optimizer_step(self, args: TrainingArguments, state: TrainerState,
                              control: TrainerControl, **_: Any) -> None:
        """Stop.

        Raises:
            StepReached: always.
        """
        raise StepReached
