"""Workers on the machines of a Ray cluster.

Ray (``ray-project/ray``, Apache-2.0, maintained by Anyscale) starts the workers, sends them the
pairs and notices when a machine is gone. It is an extra, ``[cluster]``; workers on one machine do
without it. Every machine must see the data set, and a model folder, under the same path.
"""

from typing import Any

from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.engines.base import EngineError
from rtrack_ros.evaluation.sets.workers import Outcome, TrackingJob, Worker, WorkerLost


class ClusterWorkers:
    """Workers on a cluster, one core each; one that is lost is replaced.

    Args:
        job: What they do.
        number: How many.
        address: Of the cluster: 'auto' for the one this machine belongs to, HOST:PORT,
            ray://HOST:PORT, or 'local' for a cluster of this machine alone, which is started.

    Raises:
        ModuleNotFoundError: Ray is not installed.
        EngineError: there is no cluster at the address.
    """

    def __init__(self, job: TrackingJob, number: int, address: str) -> None:
        import ray

        self._ray, self._job = ray, job
        try:
            ray.init(address=address, log_to_driver=False, include_dashboard=False,
                     **({'num_cpus': number} if address == 'local' else {}))
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise EngineError(f'there is no Ray cluster at {address} ({error}); start one with: '
                              'ray start --head') from error
        self._actor: Any = ray.remote(num_cpus=1)(_Actor)
        self._idle = [self._actor.remote(job) for _ in range(number)]
        self._given: dict[Any, tuple[Any, AnnotatedSequence]] = {}

    @property
    def free(self) -> int:
        """Number of workers without a pair."""
        return len(self._idle)

    @property
    def busy(self) -> int:
        """Number of workers with one."""
        return len(self._given)

    def start(self, sequence: AnnotatedSequence) -> None:
        """Give a pair to a free worker."""
        worker = self._idle.pop()
        self._given[worker.track.remote(sequence)] = worker, sequence

    def next(self) -> tuple[AnnotatedSequence, Outcome]:
        """Wait for the next pair that is done, or has failed.

        Raises:
            EngineError: a worker cannot load the model.
        """
        (done, *_), _ = self._ray.wait(list(self._given), num_returns=1)
        worker, sequence = self._given.pop(done)
        try:
            outcome = self._ray.get(done)
        except self._ray.exceptions.RayActorError as error:
            self._idle.append(self._actor.remote(self._job))
            return sequence, WorkerLost(f'the worker was lost ({type(error).__name__})')
        except self._ray.exceptions.RayError as error:
            outcome = RuntimeError(str(error))
        self._idle.append(worker)
        if isinstance(outcome, EngineError):
            raise outcome
        return sequence, outcome

    def close(self) -> None:
        """End all workers, and leave the cluster."""
        self._ray.shutdown()


class _Actor:
    """A worker as Ray wants it: it is made at once, and says later that it could not be."""

    def __init__(self, job: TrackingJob) -> None:
        import cv2
        cv2.setNumThreads(1)
        self._failure: EngineError | None = None
        try:
            self._worker = Worker(job)
        except EngineError as error:
            self._failure = error

    def track(self, sequence: AnnotatedSequence) -> Any:
        if self._failure is not None:
            return self._failure
        try:
            return self._worker.track(sequence)
        except Exception as error:
            return RuntimeError(f'{type(error).__name__}: {error}')
