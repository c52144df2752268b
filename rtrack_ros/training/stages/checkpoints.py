"""Checkpoints: the newest whole one, what is kept in it beside TRL's files, how many stay.

TRL writes a checkpoint file by file. It counts here only once it is sealed, after its last file:
a run that was killed before goes on from the one before it.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rtrack_ros.files import is_whole, seal, write_whole
from rtrack_ros.training.failure import TrainingError
from rtrack_ros.training.stages.ranks import decided_by_first, together

_NAME: Final = re.compile(r'checkpoint-(\d+)')


def checkpoints(out: Path) -> list[Path]:
    """Return the checkpoints of a stage, the newest first, whole or not."""
    found = {path: _NAME.fullmatch(path.name) for path in out.glob('checkpoint-*')}
    return sorted((path for path, match in found.items() if match and path.is_dir()),
                  key=lambda path: -int(path.name.rpartition('-')[2]))


def newest_whole(out: Path) -> Path | None:
    """Return the newest checkpoint that is whole, and remove what is newer and is not."""
    for path in checkpoints(out):
        if is_whole(path):
            return path
        shutil.rmtree(path)
    return None


class Kept(TrainerCallback):
    """A callback that knows something which a resumed run must know too.

    It is kept beside the weights in every checkpoint. Only the first process reads and writes it.
    """

    NAME: str
    """File within a checkpoint."""

    def kept(self) -> dict[str, Any]:
        """Return what to keep, plain values."""
        raise NotImplementedError

    def restore(self, kept: dict[str, Any]) -> None:
        """Take over what was kept; an empty mapping begins anew."""
        raise NotImplementedError

    def on_train_begin(self, args: TrainingArguments, state: TrainerState,
                       control: TrainerControl, **_: Any) -> None:
        """Take over what the checkpoint says where the stage resumes.

        Raises:
            TrainingError: the checkpoint does not say it.
        """
        path = self._path(args, state)
        self.restore(decided_by_first(lambda: _read(path)) if state.global_step else {})

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
                **_: Any) -> None:
        """Keep it beside the checkpoint."""
        if state.is_world_process_zero:
            write_whole(self._path(args, state), json.dumps(self.kept()) + '\n')

    def _path(self, args: TrainingArguments, state: TrainerState) -> Path:
        return Path(args.output_dir, f'checkpoint-{state.global_step}', self.NAME)


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding='utf-8')))
    except (OSError, ValueError) as error:
        raise TrainingError(f'{path} cannot be read ({error}); remove the checkpoint, and the '
                            'stage goes on from the one before') from error


class StageEnded(Exception):
    """The checkpoint from which a stage resumes is its last."""


class LastStep(Kept):
    """Saves the last step whatever ends the stage, and takes no step more after it."""

    NAME = 'ended.json'

    def __init__(self) -> None:
        self._ended = False

    def kept(self) -> dict[str, Any]:
        """Return whether the stage ended with this step."""
        return {'ended': self._ended}

    def restore(self, kept: dict[str, Any]) -> None:
        """Look whether there is anything left to do.

        Raises:
            StageEnded: there is not.
        """
        if kept.get('ended'):
            raise StageEnded

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
                    **_: Any) -> None:
        """Save where this step is the last."""
        if control.should_training_stop:
            control.should_save = True

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
               **more: Any) -> None:
        """Save where this report ended the stage."""
        self.on_step_end(args, state, control)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
                **more: Any) -> None:
        """Keep whether the stage ended."""
        self._ended = control.should_training_stop
        super().on_save(args, state, control, **more)


class Processes(Kept):
    """Refuses to go on with another number of processes: each has its share of every batch."""

    NAME = 'processes.json'

    def kept(self) -> dict[str, Any]:
        """Return how many there are."""
        return {'processes': together()}

    def restore(self, kept: dict[str, Any]) -> None:
        """Compare.

        Raises:
            TrainingError: there were more or fewer.
        """
        before = kept.get('processes', together())
        if before != together():
            raise TrainingError(f'this stage was begun by {before} processes and cannot go on '
                                f'with {together()}: the batches would be others. Start as many '
                                'as before, or choose another --out')


class SealedCheckpoints(TrainerCallback):
    """Seals every checkpoint, and removes the oldest; to be the last of all callbacks.

    Args:
        limit: Number of checkpoints to keep; None keeps all.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
                model: nn.Module | None = None, **_: Any) -> None:
        """Seal what was written.

        Raises:
            TrainingError: a weight is no number; such a checkpoint is of no use.
        """
        out, step = Path(args.output_dir), state.global_step
        if model is not None:
            check_finite(model, f'step {step}')

        def settle() -> None:
            seal(out / f'checkpoint-{step}')
            for old in checkpoints(out)[self._limit:] if self._limit else ():
                shutil.rmtree(old)

        decided_by_first(settle)  # the others wait: a checkpoint of all is sealed, or of none


def check_finite(model: nn.Module, when: str) -> None:
    """Refuse weights that are no numbers.

    Raises:
        TrainingError: names the first such weight.
    """
    for name, value in model.named_parameters():
        if not bool(torch.isfinite(value.detach()).all()):
            raise TrainingError(f'{when}: the weights {name} are no finite numbers; begin again '
                                'from the last checkpoint with a lower learning_rate, more '
                                'warmup_steps or a smaller max_grad_norm')
