"""A stage on two processes, watched: ``test_two_ranks.py`` runs this in each of them.

Arguments: kind of the run (plain, killed or budget), data, folder of the run. By hand:
``torchrun --standalone --nproc_per_node 2 two_ranks.py plain DATA OUT``.
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from transformers import TrainerCallback

from rtrack_ros.training.configs import shipped_config
from rtrack_ros.training.failure import TrainingError
from rtrack_ros.training.stages import run
from rtrack_ros.training.stages.compute_budget import ComputeBudget
from rtrack_ros.training.stages.settings import StageSettings, read_stages

NANO = Path(__file__).parents[3] / 'models' / 'rtrack-nano'
STEPS = 4
RANK = int(os.environ['RANK'])


class Watch(TrainerCallback):
    """Says after every step whether all processes have the same weights."""

    def __init__(self, killed: bool) -> None:
        self._killed = killed

    def on_step_end(self, args, state, control, model=None, **_) -> None:
        with torch.no_grad():
            total = sum(value.double().sum() for value in model.parameters()).reshape(1)
        found = [torch.zeros_like(total) for _ in range(dist.get_world_size())]
        dist.all_gather(found, total)
        equal = 'equal' if torch.equal(*found) else 'DIFFERENT'
        print(f'[{RANK}] step {state.global_step} weights {equal} '
              f'stop {control.should_training_stop}', flush=True)
        if self._killed and RANK == 1 and state.global_step == STEPS - 1:
            os.kill(os.getpid(), signal.SIGKILL)


def stage(kind: str) -> StageSettings:
    found = read_stages(shipped_config('nano_gspo'))[0]
    trainer = {**found.trainer, 'per_device_train_batch_size': 4, 'num_generations': 4,
               'steps_per_generation': 1, 'max_completion_length': 24, 'max_steps': STEPS,
               'save_steps': 2, 'warmup_steps': 0}
    data = replace(found.data, layout='refrt', questions=16)
    return replace(found, trainer=trainer, data=data, compute_s=3 if kind == 'budget' else None)


def main(kind: str, data: str, out: str) -> None:
    torch.set_num_threads(1)
    build = run.build_trainer

    def watched(*args):
        trainer = build(*args)
        trainer.add_callback(Watch(kind == 'killed'))
        return trainer

    run.build_trainer = watched
    if kind == 'budget':  # the clocks of the processes differ, and only that of the first counts
        ticks = iter(range(1000)) if RANK == 0 else iter([0.0] * 1000)
        run.ComputeBudget = lambda seconds: ComputeBudget(seconds, clock=lambda: next(ticks))
    try:
        run.run_stages([stage(kind)], NANO, data, Path(out), lambda text: print(text, flush=True))
    except TrainingError as error:
        print(f'refused: {error}', flush=True)
        sys.exit(2)


if __name__ == '__main__':
    if 'PRINTED' in os.environ:
        sys.stdout = open(os.environ['PRINTED'], 'a', encoding='utf-8')
    main(*sys.argv[1:])
