"""A budget of computing: stages of different methods that may spend the same."""

import time
from collections.abc import Callable
from typing import Any, Final

import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from rtrack_ros.training.stages.checkpoints import Kept
from rtrack_ros.training.stages.ranks import decided_by_first

SPENT_NAME: Final = 'compute.json'


class ComputeBudget(Kept):
    """Ends a stage once its first process has spent a number of processor seconds on it.

    All processes take their learning rate and their end from the clock of the first one.

    Processor time, unlike wall time, does not grow when other programs want the machine too. It
    counts all threads of the process, and drawing or reading the data where that is done in it.
    The learning rate that the trainer sets is multiplied by 1 until ``fall`` of the budget is
    left and falls linearly to 0 from there, so that stages whose steps differ in cost end alike.
    Every checkpoint holds what was spent by then: a stage that resumes goes on counting.

    Args:
        seconds: The budget, processor seconds.
        fall: Share of the budget over which the learning rate falls, in (0, 1].
        clock: Returns the processor seconds of this process.
    """

    def __init__(self, seconds: float, fall: float = 0.5,
                 clock: Callable[[], float] = time.process_time) -> None:
        if seconds <= 0 or not 0 < fall <= 1:
            raise ValueError(f'a budget of {seconds} s with a fall over {fall} of it; choose a '
                             'budget above 0 and a share in (0, 1]')
        self._seconds, self._fall, self._clock = seconds, fall, clock
        self._since, self._factor, self._spent_s = clock(), 1.0, 0.0

    NAME = SPENT_NAME

    @property
    def spent_s(self) -> float:
        """Processor seconds spent since the stage began, when all processes last agreed on it."""
        return self._spent_s

    @property
    def rate(self) -> float:
        """Factor of the learning rate then, in [0, 1]."""
        left = 1 - self.spent_s / self._seconds
        return min(max(left / self._fall, 0.0), 1.0)

    def _agree(self) -> None:
        self._spent_s = decided_by_first(lambda: self._clock() - self._since)

    def kept(self) -> dict[str, Any]:
        """Return what was spent."""
        return {'compute_s': self._clock() - self._since}

    def restore(self, kept: dict[str, Any]) -> None:
        """Begin to count, from what was spent before."""
        self._since = self._clock() - float(kept.get('compute_s', 0.0))
        self._agree()

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
                      optimizer: torch.optim.Optimizer | None = None, **_: Any) -> None:
        """Set the learning rate of the step; the scheduler has set it anew after the last."""
        if optimizer is not None:
            self._agree()
            self._factor = self.rate
            for group in optimizer.param_groups:
                group['lr'] *= self._factor

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
                    **_: Any) -> None:
        """Ask the trainer to stop when the budget is spent."""
        self._agree()
        if self.spent_s >= self._seconds:
            control.should_training_stop = True

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
               logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Tell what was spent and the learning rate as it was; callbacks that follow see it."""
        if logs:
            logs['compute_s'] = round(self.spent_s, 1)
            if 'learning_rate' in logs:
                logs['learning_rate'] *= self._factor
