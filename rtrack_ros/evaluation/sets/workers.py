"""Workers that track (video, sentence) pairs: in this process, or each in one of its own.

A worker loads the model once and then takes one pair after another. What it writes follows from
the pair, the model and the settings alone, whichever worker it is.
"""

import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

import cv2

from rtrack_ros.child_processes import end_with_parent
from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.mot import MotRow
from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.registry import load_engine
from rtrack_ros.evaluation.sets.tracking import ASK_INTERVAL_S, track_sequence
from rtrack_ros.language.refine import make_grounder

Outcome = list[MotRow] | Exception
"""Tracks of a pair, or why there are none."""


class WorkerLost(RuntimeError):
    """A worker ended in the middle of a pair, killed for example."""


@dataclass(frozen=True)
class TrackingJob:
    """What every worker does with a pair.

    Attributes:
        model: Folder of the model, or URL of a server, which all workers then share.
        engine: Name of the engine, see ``engines.registry``.
        options: Of the engine.
        refine: Whether boxes are looked at a second time, see ``language.refine``.
        sensors: One of ``evaluation.sets.tracking.SENSORS``.
        ask_interval_s: Time of the recording between two questions to the model.
    """

    model: Path | str
    engine: str = 'auto'
    options: Mapping[str, Any] = field(default_factory=dict)
    refine: str = 'auto'
    sensors: str = 'both'
    ask_interval_s: float = ASK_INTERVAL_S


class Worker:
    """Tracks pairs with a model that it loads once.

    Raises:
        EngineError: the model cannot be loaded.
    """

    def __init__(self, job: TrackingJob) -> None:
        self._job = job
        self._engine = load_engine(job.engine, job.model, **job.options)
        self._grounder = make_grounder(self._engine, refine=job.refine)

    def track(self, sequence: AnnotatedSequence) -> list[MotRow]:
        """Return the tracks of a pair.

        Raises:
            DataError: it has no sentence, or an image cannot be read.
        """
        return track_sequence(sequence, self._grounder, self._job.sensors,
                              self._job.ask_interval_s)

    def close(self) -> None:
        """Let the model go."""
        self._engine.close()


class Pool(Protocol):
    """Workers that take pairs; one pair each at a time."""

    @property
    def free(self) -> int:
        """Number of workers without a pair."""

    @property
    def busy(self) -> int:
        """Number of workers with one."""

    def start(self, sequence: AnnotatedSequence) -> None:
        """Give a pair to a free worker."""

    def next(self) -> tuple[AnnotatedSequence, Outcome]:
        """Wait for the next pair that is done, or has failed.

        Raises:
            EngineError: no worker can load the model.
        """

    def close(self) -> None:
        """End all workers."""


class OneWorker:
    """A pool of one worker in this process."""

    def __init__(self, job: TrackingJob) -> None:
        self._worker = Worker(job)
        self._given: list[AnnotatedSequence] = []

    @property
    def free(self) -> int:
        """1, but for while a pair waits."""
        return 1 - self.busy

    @property
    def busy(self) -> int:
        """Number of pairs that wait."""
        return len(self._given)

    def start(self, sequence: AnnotatedSequence) -> None:
        """Remember a pair."""
        self._given.append(sequence)

    def next(self) -> tuple[AnnotatedSequence, Outcome]:
        """Track it."""
        sequence = self._given.pop()
        try:
            return sequence, self._worker.track(sequence)
        except Exception as error:
            return sequence, error

    def close(self) -> None:
        """Let the model go."""
        self._worker.close()


class _Process:
    """A worker in a process of its own, and the pair it has."""

    def __init__(self, job: TrackingJob) -> None:
        # Forked from a process that has only imported what all workers need, once for all. A fork
        # of this one would lose the threads of its engines.
        context = multiprocessing.get_context('forkserver')
        context.set_forkserver_preload([__name__])
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(job, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.sequence: AnnotatedSequence | None = None
        self.loaded = False

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


class LocalWorkers:
    """Workers in processes of this machine; one that is killed is replaced.

    Args:
        job: What they do.
        number: How many.
    """

    def __init__(self, job: TrackingJob, number: int) -> None:
        self._job = job
        self._workers = [_Process(job) for _ in range(number)]

    @property
    def free(self) -> int:
        """Number of workers without a pair."""
        return len(self._workers) - self.busy

    @property
    def busy(self) -> int:
        """Number of workers with one."""
        return sum(worker.sequence is not None for worker in self._workers)

    def start(self, sequence: AnnotatedSequence) -> None:
        """Give a pair to a free worker."""
        worker = next(item for item in self._workers if item.sequence is None)
        if not worker.process.is_alive():  # it ended between two pairs
            worker = self._replace(worker)
        worker.sequence = sequence
        try:
            worker.pipe.send(sequence)
        except OSError:  # it has just ended: next() sees that
            pass

    def next(self) -> tuple[AnnotatedSequence, Outcome]:
        """Wait for the next pair that is done, or has failed.

        Raises:
            EngineError: a worker cannot load the model.
        """
        while True:
            waiting = {worker.pipe: worker for worker in self._workers
                       if worker.sequence is not None}
            for pipe in wait(list(waiting)):
                worker = waiting[pipe]  # type: ignore[index]
                sequence = worker.sequence
                assert sequence is not None
                outcome = self._outcome(worker)
                if outcome is not None:
                    return sequence, outcome

    def _outcome(self, worker: _Process) -> Outcome | None:
        """Return what a worker says of its pair; None where it says that it is ready."""
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return WorkerLost('the worker process ended in the middle, as if it was killed; '
                              'memory may be short')
        if not worker.loaded:
            if isinstance(said, Exception):
                raise said if isinstance(said, EngineError) else EngineError(str(said))
            worker.loaded = True
            return None
        worker.sequence = None
        outcome: Outcome = said
        return outcome

    def _replace(self, worker: _Process) -> _Process:
        worker.end()
        fresh = _Process(self._job)
        self._workers[self._workers.index(worker)] = fresh
        return fresh

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.end()


def _serve(job: TrackingJob, pipe: Connection) -> None:
    """Load the model, say so, and answer pair after pair with its tracks or an error."""
    end_with_parent()
    cv2.setNumThreads(1)  # there are as many workers as cores
    try:
        worker = Worker(job)
    except Exception as error:
        pipe.send(EngineError(str(error)))
        return
    pipe.send('ready')
    while True:
        try:
            sequence = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(worker.track(sequence))
        except Exception as error:
            pipe.send(_plain(error))


def _plain(error: Exception) -> Exception:
    """Return an error that can be sent to another process: the exact kind may need more."""
    return RuntimeError(f'{type(error).__name__}: {error}')
