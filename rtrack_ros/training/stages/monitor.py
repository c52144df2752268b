"""What a stage tells while it runs, and when it stops: log, progress, early stop, rehearsal."""

import json
from collections import deque
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

SHOWN = ('reward', 'loss', 'grad_norm', 'compute_s')


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
        """Show the bar, from the step at which the run resumes."""
        if state.is_world_process_zero:
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
        """Append what the trainer reports."""
        if not state.is_world_process_zero or not logs:
            return
        self._note = '  '.join(f'{name} {float(logs[name]):.3f}' for name in SHOWN if name in logs)
        with self._log.open('a', encoding='utf-8') as stream:
            stream.write(json.dumps({'stage': self._name, 'step': state.global_step, **logs})
                         + '\n')

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
                     **_: Any) -> None:
        """Take the bar away."""
        self._bar.stop()


class EarlyStop(TrainerCallback):
    """Ends a stage when a smoothed figure has not got better for a while.

    Args:
        metric: Name in the log, for example 'reward' or 'eval_loss'; larger is better unless it
            ends in 'loss'.
        patience: Logs without a better value before the stage ends.
        smoothing: Logs that are averaged, as rewards of few prompts are noisy.
    """

    def __init__(self, metric: str, patience: int, smoothing: int = 1) -> None:
        self._metric, self._patience = metric, patience
        self._recent: deque[float] = deque(maxlen=smoothing)
        self._best, self._waited = float('-inf'), 0

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
               logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Look at a report; ask the trainer to stop when patience is over."""
        if not logs or self._metric not in logs:
            return
        sign = -1.0 if self._metric.endswith('loss') else 1.0
        self._recent.append(sign * float(logs[self._metric]))
        if len(self._recent) < (self._recent.maxlen or 1):
            return
        value = sum(self._recent) / len(self._recent)
        self._waited = 0 if value > self._best else self._waited + 1
        self._best = max(self._best, value)
        if self._waited >= self._patience:
            control.should_training_stop = True


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
