"""A data set spread over workers: one task a (video, sentence) pair, written as it comes."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.mot import write_mot
from rtrack_ros.evaluation.sets.tracking import tracks_file
from rtrack_ros.evaluation.sets.workers import LocalWorkers, OneWorker, Pool, TrackingJob
from rtrack_ros.files import alone_in
from rtrack_ros.provenance import claim, data_digest, model_digest

ATTEMPTS: Final = 3
"""How often a pair is tried before it is listed as failed."""


def open_pool(job: TrackingJob, workers: int = 1, ray: str | None = None) -> Pool:
    """Return workers: on a cluster, in processes of this machine, or one in this process.

    Args:
        job: What they do.
        workers: How many.
        ray: Address of a Ray cluster; None stays on this machine.

    Raises:
        EngineError: the model cannot be loaded, or there is no such cluster.
    """
    if ray is not None:
        from rtrack_ros.evaluation.sets.cluster import ClusterWorkers
        return ClusterWorkers(job, workers, ray)
    return OneWorker(job) if workers == 1 else LocalWorkers(job, workers)


def inputs_of(job: TrackingJob, root: Path) -> dict[str, Any]:
    """Return what the tracks of a set follow from, for its record."""
    folder = Path(job.model)
    model = model_digest(folder) if folder.is_dir() else str(job.model)
    return {'model': model, 'engine': job.engine, 'refine': job.refine, 'sensors': job.sensors,
            'ask_interval_s': job.ask_interval_s, 'set': data_digest(root),
            'options': {name: str(value) for name, value in sorted(job.options.items())}}


def spread(sequences: Sequence[AnnotatedSequence], job: TrackingJob, root: Path, folder: Path,
           opened: Callable[[TrackingJob], Pool], done: Callable[[], object] = lambda: None
           ) -> dict[str, str]:
    """Write ``<sequence name>.txt`` for every pair that has none yet; return what failed.

    A pair that fails, or whose worker is lost, is tried again after the others.

    Args:
        sequences: With a sentence each.
        job: What is done with them.
        root: Folder of the data set, for the record of what the tracks follow from.
        folder: Where the files go.
        opened: Opens the workers; not called where nothing is left to do.
        done: Called after every pair, those that were there included.

    Returns:
        Why there are no tracks, by name of the pair.

    Raises:
        EngineError: no worker can load the model.
        ProvenanceError: the folder holds tracks from other inputs.
        FolderInUseError: another process writes there.
    """
    with alone_in(folder):
        claim(folder, inputs_of(job, root), begun=any(folder.glob('*.txt')))
        left = [item for item in sequences if not tracks_file(folder, item).is_file()]
        for _ in range(len(sequences) - len(left)):
            done()
        if not left:
            return {}
        pool = opened(job)
        try:
            return _spread(left, folder, pool, done)
        finally:
            pool.close()


def _spread(left: Sequence[AnnotatedSequence], folder: Path, pool: Pool,
            done: Callable[[], object]) -> dict[str, str]:
    waiting, tried, failed = deque(left), Counter[str](), dict[str, str]()
    while waiting or pool.busy:
        while waiting and pool.free:
            pool.start(waiting.popleft())
        sequence, outcome = pool.next()
        if not isinstance(outcome, Exception):
            write_mot(tracks_file(folder, sequence), outcome)
            done()
            continue
        tried[sequence.name] += 1
        if tried[sequence.name] < ATTEMPTS:
            waiting.append(sequence)
        else:
            failed[sequence.name] = str(outcome)
            done()
    return failed
