"""What the Siamese network is trained and tested on, and the batches of its training."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from rtrack_ros.child_processes import end_with_parent
from rtrack_ros.training.composites.clips import read_settings as read_clip_settings
from rtrack_ros.training.configs import find_config
from rtrack_ros.training.siamese.augmentation import augment
from rtrack_ros.training.siamese.pairs import Pairs
from rtrack_ros.training.siamese.real import draw_clips
from rtrack_ros.training.siamese.settings import SiameseSettings
from rtrack_ros.training.siamese.shards import draw_shards
from rtrack_ros.training.siamese.things import draw_things


@dataclass(frozen=True, eq=False)
class Data:
    """Pairs of a run.

    Attributes:
        shards: Pairs of the simulated world and of things strewn over it, shard by shard.
        held_out: Pairs of scenes that training never sees.
        clips: Pairs of real clips, of which a batch has a share; empty does without.
    """

    shards: Sequence[Pairs]
    held_out: Pairs
    clips: Sequence[Pairs] = ()


def draw_data(settings: SiameseSettings, folder: Path, workers: int,
              console: Console | None = None) -> Data:
    """Return the pairs of a run, drawing into ``folder`` what is not there yet.

    Args:
        settings: Which scenes and clips.
        folder: Where the shards lie.
        workers: Processes that draw.
        console: Shows the progress.

    Raises:
        DataError: a real clip is missing or unreadable.
        MotError: its labels are.
    """
    with ProcessPoolExecutor(workers, initializer=end_with_parent) as processes:
        held_out = draw_shards(folder / 'held_out', settings.held_out_seed,
                               settings.held_out_scenes, processes, console)
        shards = draw_shards(folder / 'train', settings.scene_seed, settings.scenes, processes,
                             console)
        shards += draw_shards(folder / 'things', settings.scene_seed, settings.things_scenes,
                              processes, console, draw_things)
    return Data(shards, _some(Pairs.joined(held_out), settings.held_out_pairs),
                _of_clips(settings))


def _of_clips(settings: SiameseSettings) -> list[Pairs]:
    """Return the pairs of the real clips, none where the configuration names none."""
    if not settings.clips:
        return []
    return [Pairs.joined(list(draw_clips(
        Path(settings.clips), read_clip_settings(find_config(settings.clip_settings)),
        Path(settings.clip_labels), settings.seed)))]


def _some(pairs: Pairs, count: int) -> Pairs:
    """Return ``count`` of the pairs, spread evenly."""
    return pairs.take(np.linspace(0, len(pairs) - 1, min(count, len(pairs))).astype(np.intp))


def draw_batch(data: Data, settings: SiameseSettings, step: int) -> Pairs:
    """Return the augmented batch of a step, which follows from seed and step.

    Every pair of every shard is as likely, and so is every pair of the clips.
    """
    rng = np.random.default_rng((settings.seed, step))
    real = round(settings.clip_share * settings.batch) if data.clips else 0
    parts = _drawn(rng, data.shards, settings.batch - real)
    if real:
        parts += _drawn(rng, data.clips, real)
    return augment(rng, Pairs.joined(parts))


def _drawn(rng: np.random.Generator, shards: Sequence[Pairs], count: int) -> list[Pairs]:
    ends = np.cumsum([len(shard) for shard in shards])
    rows = np.sort(rng.integers(ends[-1], size=count))
    owners = np.searchsorted(ends, rows, side='right')
    return [shards[owner].take(rows[owners == owner] - (ends[owner] - len(shards[owner])))
            for owner in np.unique(owners)]
