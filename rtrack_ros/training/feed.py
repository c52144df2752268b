"""The batches of a training run of rtrack-nano: shards drawn by processes, batches by a thread.

Every batch follows from seed, stage and step alone, so that a run that resumes sees the same ones.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rtrack_ros.training.batches import Batch
from rtrack_ros.training.closeups import CloseUpShard, read_closeups, write_closeups
from rtrack_ros.training.drawing import draw_ground, draw_portraits, draw_searches
from rtrack_ros.training.nano import IMAGE_SIZE
from rtrack_ros.training.samples import Shard, read_shard, write_shard
from rtrack_ros.training.sequences import SequenceBuilder

STAGES = ('dense', 'language')


@dataclass(eq=False)
class Pools:
    """What batches are drawn from, as far as it is there."""

    frames: list[Shard] = field(default_factory=list)
    composed: list[Shard] = field(default_factory=list)
    closeups: list[CloseUpShard] = field(default_factory=list)


class Feed:
    """Draws the data of a run and its batches.

    Args:
        config: As ``config/training/nano.yaml``.
        folder: Where the drawn shards lie, of this run or of an earlier one.
        builder: Makes token ids.
        processes: Draw the shards, beside the trainer.

    Raises:
        FileNotFoundError: the folder of composed frames that the configuration names is empty.
    """

    def __init__(self, config: Mapping[str, Any], folder: Path, builder: SequenceBuilder,
                 processes: Executor) -> None:
        self._config, self._folder, self._builder = config, folder, builder
        data = config['data']
        self._composed = _read_composed(data.get('composed'))
        self._held_out = [processes.submit(write_shard, folder / 'held_out', 0,
                                           data['held_out_seed'], data['held_out_frames'],
                                           IMAGE_SIZE)]
        self._frames = [processes.submit(write_shard, folder / 'train', number, data['seed'],
                                         data['frames_per_shard'], IMAGE_SIZE)
                        for number in range(data['shards'])]
        self._closeups: list[Future[None]] = []
        if 'closeups' in data:
            self._order_closeups(data['closeups'], processes)

    def _order_closeups(self, data: Mapping[str, int], processes: Executor) -> None:
        close = self._folder / 'closeups'
        self._held_out.append(processes.submit(
            write_closeups, close / 'held_out', 0, data['held_out_seed'],
            data['held_out_episodes'], IMAGE_SIZE))
        self._closeups = [processes.submit(write_closeups, close / 'train', number, data['seed'],
                                           data['episodes_per_shard'], IMAGE_SIZE)
                          for number in range(data['shards'])]

    def batches(self, stage: str, begin: int) -> Iterator[dict[str, Batch]]:
        """Yield the batches of each step by loss, from step ``begin`` of a stage on."""
        settings = self._config[stage]
        pools = Pools(composed=self._composed)
        with ThreadPoolExecutor(1) as ahead:
            pending: Future[dict[str, Batch]] | None = None
            for step in range(begin, settings['steps']):
                self._fill(pools, stage, step)
                rng = np.random.default_rng((self._config['seed'], STAGES.index(stage), step + 1))
                following = ahead.submit(self._draw, stage, Pools(
                    list(pools.frames), pools.composed, list(pools.closeups)), rng)
                if pending is not None:
                    yield pending.result()
                pending = following
            if pending is not None:
                yield pending.result()

    def _fill(self, pools: Pools, stage: str, step: int) -> None:
        """Wait for the shards a step needs; in the dense stage their number grows with time."""
        total = len(self._frames)
        wanted = total if stage == 'language' else min(
            total, 1 + step * total // self._config[stage]['steps'])
        while len(pools.frames) < wanted:
            number = len(pools.frames)
            self._frames[number].result()
            pools.frames.append(read_shard(self._folder / 'train', number))
        while stage == 'language' and len(pools.closeups) < len(self._closeups):
            number = len(pools.closeups)
            self._closeups[number].result()
            pools.closeups.append(read_closeups(self._folder / 'closeups' / 'train', number))

    def _draw(self, stage: str, pools: Pools, rng: np.random.Generator) -> dict[str, Batch]:
        """Draw the batch of a step; beside a grounding one another for the tower alone."""
        settings = self._config[stage]
        kind = _draw_task(rng, settings.get('closeups', {})) if pools.closeups else 'ground'
        if kind == 'portrait':
            return {stage: draw_portraits(self._builder, pools.closeups, rng, settings['images'])}
        if kind == 'locate':
            return {stage: draw_searches(self._builder, pools.closeups, rng, settings['images'])}
        share = settings.get('composed_share', 0.0)
        batches = {stage: draw_ground(self._builder, pools.frames, rng, settings['images'],
                                      settings.get('sentences', 1), pools.composed, share)}
        if 'dense_images' in settings:
            batches['dense'] = draw_ground(self._builder, pools.frames, rng,
                                           settings['dense_images'], 1, pools.composed, share)
        return batches

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


def _draw_task(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    """Return 'portrait' or 'locate' in their shares of the steps, 'ground' in all others."""
    draw = rng.random()
    for name, share in shares.items():
        draw -= share
        if draw < 0:
            return name
    return 'ground'


def _read_composed(folder: str | None) -> list[Shard]:
    """Return the frames composed of real clips, of the folder that the settings name, if any."""
    if folder is None:
        return []
    numbers = sorted(int(path.stem) for path in Path(folder).glob('*.json'))
    if not numbers:
        raise FileNotFoundError(f'{folder} holds no shards; make them with rtrack compose, or '
                                'leave data.composed out')
    return [read_shard(Path(folder), number) for number in numbers]
