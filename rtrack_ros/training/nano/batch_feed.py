"""The batches of a training run of rtrack-nano: shards and batches are drawn by processes.

Every batch follows from seed, stage and step alone, so that a run that resumes sees the same ones.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from rtrack_ros.data.pairs import DataError
from rtrack_ros.training.models.nano import IMAGE_SIZE
from rtrack_ros.training.nano.batches import Batch
from rtrack_ros.training.nano.draw_batch import draw_ground, draw_object_crops, draw_searches
from rtrack_ros.training.nano.sequences import SequenceBuilder
from rtrack_ros.training.shards.closeups import CloseUpShard, read_closeups, write_closeups
from rtrack_ros.training.shards.frames import Shard, read_shard, shard_numbers, write_shard
from rtrack_ros.training.yaml_settings import SettingsError

STAGES = ('dense', 'language')
OBJECT_CROP, LOCATE = CLOSEUPS = ('object_crop', 'locate')
"""Steps on close-ups: objects to verify and describe, targets to locate."""
_AHEAD = 2
"""Steps that each process which draws batches is ahead of the trainer."""

Order = tuple[int, int, int]
"""A step, and the shards of frames and of close-ups that there are for it."""


@dataclass(eq=False)
class Pools:
    """What batches are drawn from, as far as it was read."""

    frames: list[Shard] = field(default_factory=list)
    composed: list[Shard] = field(default_factory=list)
    closeups: list[CloseUpShard] = field(default_factory=list)


class StepBatches(Dataset[dict[str, Batch]]):
    """The batches of a stage, by the order for a step; a data loader hands it to its processes.

    Args:
        config: As ``training/configs/nano.yaml``.
        folder: Where the drawn shards lie.
        builder: Makes token ids.
        stage: One of ``STAGES``.
    """

    def __init__(self, config: Mapping[str, Any], folder: Path, builder: SequenceBuilder,
                 stage: str) -> None:
        self._config, self._folder, self._builder, self._stage = config, folder, builder, stage
        self._pools: Pools | None = None

    def __getitem__(self, order: Order) -> dict[str, Batch]:
        """Return the batches of a step by the loss they are for."""
        step, frames, closeups = order
        if self._pools is None:
            self._pools = Pools(composed=_read_composed(self._config['data'].get('composed')))
        pools = self._pools
        for number in range(len(pools.frames), frames):
            pools.frames.append(read_shard(self._folder / 'train', number))
        for number in range(len(pools.closeups), closeups):
            pools.closeups.append(read_closeups(self._folder / 'closeups' / 'train', number))
        rng = np.random.default_rng((self._config['seed'], STAGES.index(self._stage), step + 1))
        return self._draw(Pools(pools.frames[:frames], pools.composed,
                                pools.closeups[:closeups]), rng)

    def _draw(self, pools: Pools, rng: np.random.Generator) -> dict[str, Batch]:
        """Draw the batch of a step; beside a grounding one another for the tower alone."""
        stage, settings = self._stage, self._config[self._stage]
        kind = _draw_task(rng, settings.get('closeups', {})) if pools.closeups else 'ground'
        if kind != 'ground':
            draw = {OBJECT_CROP: draw_object_crops, LOCATE: draw_searches}[kind]
            return {stage: draw(self._builder, pools.closeups, rng, settings['images'])}
        share = settings.get('composed_share', 0.0)
        batches = {stage: draw_ground(self._builder, pools.frames, rng, settings['images'],
                                      settings.get('sentences', 1), pools.composed, share)}
        if 'dense_images' in settings:
            batches['dense'] = draw_ground(self._builder, pools.frames, rng,
                                           settings['dense_images'], 1, pools.composed, share)
        return batches


class Feed:
    """Draws the data of a run and its batches.

    Args:
        config: As ``training/configs/nano.yaml``.
        folder: Where the drawn shards lie, of this run or of an earlier one.
        builder: Makes token ids.
        processes: Draw the shards, beside the trainer.
        loaders: Processes that draw batches ahead; with 0 the trainer draws each when it is due.
        pinned: Whether batches lie in pinned memory, for a GPU.

    Raises:
        SettingsError: the configuration names steps that are none of ``CLOSEUPS``.
        DataError: the folder of composed frames that the configuration names is empty.
    """

    def __init__(self, config: Mapping[str, Any], folder: Path, builder: SequenceBuilder,
                 processes: Executor, loaders: int = 0, pinned: bool = False) -> None:
        self._config, self._folder, self._builder = config, folder, builder
        self._loaders, self._pinned = loaders, pinned
        data = config['data']
        _check_closeups(config)
        _read_composed(data.get('composed'))
        negations = bool(data.get('negations', False))
        self._held_out = [processes.submit(write_shard, folder / 'held_out', 0,
                                           data['held_out_seed'], data['held_out_frames'],
                                           IMAGE_SIZE, negations)]
        self._frames = [processes.submit(write_shard, folder / 'train', number, data['seed'],
                                         data['frames_per_shard'], IMAGE_SIZE, negations)
                        for number in range(data['shards'])]
        self._closeups: list[Future[None]] = []
        if 'closeups' in data:
            self._order_closeups(data['closeups'], processes, negations)

    def _order_closeups(self, data: Mapping[str, int], processes: Executor, negations: bool
                        ) -> None:
        close = self._folder / 'closeups'
        self._held_out.append(processes.submit(
            write_closeups, close / 'held_out', 0, data['held_out_seed'],
            data['held_out_episodes'], IMAGE_SIZE, negations))
        self._closeups = [processes.submit(write_closeups, close / 'train', number, data['seed'],
                                           data['episodes_per_shard'], IMAGE_SIZE, negations)
                          for number in range(data['shards'])]

    def batches(self, stage: str, begin: int) -> Iterator[dict[str, Batch]]:
        """Yield the batches of each step by loss, from step ``begin`` of a stage on."""
        source = StepBatches(self._config, self._folder, self._builder, stage)
        ahead: dict[str, Any] = {}
        if self._loaders:
            # Spawned, for a process with threads is not safely forked.
            ahead = {'num_workers': self._loaders, 'prefetch_factor': _AHEAD,
                     'multiprocessing_context': 'spawn', 'worker_init_fn': _start_loader}
            _share_by_file()
        yield from DataLoader(source, batch_size=None, sampler=_Orders(self, stage, begin),
                              pin_memory=self._pinned, **ahead)

    def order(self, stage: str, step: int) -> Order:
        """Return the order for a step, once its shards are drawn.

        In the dense stage the number of shards grows with time, later all are wanted.
        """
        total = len(self._frames)
        wanted, closeups = total, self._closeups
        if stage == 'dense':
            wanted = min(total, 1 + step * total // self._config[stage]['steps'])
            closeups = []
        for shard in (*self._frames[:wanted], *closeups):
            shard.result()
        return step, wanted, len(closeups)

    def steps(self, stage: str) -> int:
        """Return the number of steps of a stage."""
        return int(self._config[stage]['steps'])

    def held_out(self) -> Shard:
        """Return the held-out frames, once they are drawn."""
        self._held_out[0].result()
        return read_shard(self._folder / 'held_out', 0)

    def held_out_closeups(self) -> CloseUpShard | None:
        """Return the held-out close-ups, once they are drawn; None where there are none."""
        if len(self._held_out) < 2:
            return None
        self._held_out[1].result()
        return read_closeups(self._folder / 'closeups' / 'held_out', 0)


class _Orders(torch.utils.data.Sampler[Order]):
    """The orders of a stage in turn; each waits, in the trainer's process, for its shards."""

    def __init__(self, feed: Feed, stage: str, begin: int) -> None:
        self._feed, self._stage, self._begin = feed, stage, begin

    def __iter__(self) -> Iterator[Order]:
        for step in range(self._begin, self._feed.steps(self._stage)):
            yield self._feed.order(self._stage, step)


def _start_loader(number: int) -> None:
    """Prepare a process that draws batches: one thread, since there are many of them."""
    cv2.setNumThreads(1)
    _share_by_file()


def _share_by_file() -> None:
    """Hand tensors between processes by file: a batch has more of them than descriptors last."""
    torch.multiprocessing.set_sharing_strategy('file_system')


def _draw_task(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    """Return one of ``CLOSEUPS`` in its share of the steps, 'ground' in all others."""
    draw = rng.random()
    for name, share in shares.items():
        draw -= share
        if draw < 0:
            return name
    return 'ground'


def _check_closeups(config: Mapping[str, Any]) -> None:
    for stage in STAGES:
        unknown = sorted(set(config[stage].get('closeups', {})) - set(CLOSEUPS))
        if unknown:
            raise SettingsError(f'{stage}: closeups has unknown entries {", ".join(unknown)}; '
                                f'known are {", ".join(CLOSEUPS)} (object_crop was portrait)')


def _read_composed(folder: str | None) -> list[Shard]:
    """Return the frames composed of real clips, of the folder that the settings name, if any."""
    if folder is None:
        return []
    numbers = shard_numbers(Path(folder))
    if not numbers:
        raise DataError(f'{folder} holds no shards; make them with rtrack compose, or '
                        'leave data.composed out')
    return [read_shard(Path(folder), number) for number in numbers]
