"""Training pairs on disk, drawn once: a shard is an ``.npz`` of the scenes of consecutive seeds.

A shard follows from its seeds alone, so that any number of processes may draw shards in any order
and a run that resumes, or another run on the same folder, finds the ones that are there.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from dataclasses import fields
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rtrack_ros.files import whole_file
from rtrack_ros.training.siamese.pairs import Pairs
from rtrack_ros.training.siamese.scenes import draw_scene

SCENES_PER_SHARD = 25
Draw = Callable[[int], Iterator[Pairs]]


def shard_path(folder: Path, seed: int, scenes: int) -> Path:
    """Return the file of the shard whose scenes are ``seed`` to ``seed + scenes - 1``."""
    return folder / f'{seed}_{scenes}.npz'


def write_shard(folder: Path, seed: int, scenes: int, draw: Draw = draw_scene) -> None:
    """Draw a shard unless it is there already; it appears under its name when it is whole."""
    path = shard_path(folder, seed, scenes)
    if path.exists():
        return
    pairs = Pairs.joined([part for number in range(scenes) for part in draw(seed + number)])
    with whole_file(path) as draft, draft.open('wb') as stream:
        np.savez(stream, **{item.name: getattr(pairs, item.name) for item in fields(pairs)})


def read_shard(folder: Path, seed: int, scenes: int) -> Pairs:
    """Read a shard that has been drawn.

    Raises:
        FileNotFoundError: it has not.
    """
    with np.load(shard_path(folder, seed, scenes)) as arrays:
        return Pairs(**{item.name: arrays[item.name] for item in fields(Pairs)})


def draw_shards(folder: Path, seed: int, scenes: int, processes: Executor,
                console: Console | None = None, draw: Draw = draw_scene) -> list[Pairs]:
    """Draw what is missing of ``scenes`` scenes from ``seed`` on; return all, shard by shard.

    Args:
        folder: Where the shards lie.
        seed: Of the first scene.
        scenes: How many.
        processes: Draw the shards.
        console: Shows the progress.
        draw: What is drawn of a scene, from its seed.
    """
    wanted = [(begin, min(SCENES_PER_SHARD, seed + scenes - begin))
              for begin in range(seed, seed + scenes, SCENES_PER_SHARD)]
    jobs = [processes.submit(write_shard, folder, *shard, draw) for shard in wanted]
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f'shards of pairs in {folder.name}', total=len(jobs))
        for job in as_completed(jobs):
            job.result()
            progress.advance(task)
    return [read_shard(folder, *shard) for shard in wanted]
