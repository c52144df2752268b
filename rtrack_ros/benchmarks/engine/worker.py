"""A process with one engine in it, so that memory and start-up are those of this engine alone."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from rtrack_ros.benchmarks.cost.memory import Usage, usage_of
from rtrack_ros.engines.base import Capabilities, Engine, EngineError, Reply, SharesImages
from rtrack_ros.frames import FramePair
from rtrack_ros.language.coordinates import largest_coordinate
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.prompts import ground_prompt
from rtrack_ros.language.task_client import TOKENS_PER_BOX

_END_S = 20.0
_MAX_BOXES = 12


@dataclass(frozen=True)
class Candidate:
    """An engine to measure.

    Attributes:
        label: How it is called in the table.
        engine: Its name for ``engines.registry.load_engine``.
        model: Its model.
        options: What it is loaded with besides.
    """

    label: str
    engine: str
    model: Path
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """An answer and its times.

    Attributes:
        text: The text.
        tokens: Its tokens.
        ms: From the pair to the whole answer.
        first_ms: From the pair to the first of the text; ``ms`` where the engine does not tell.
        sent_bytes: Size of the question where it goes to a server, else 0.
    """

    text: str
    tokens: int
    ms: float
    first_ms: float
    sent_bytes: int = 0


@dataclass(frozen=True)
class Heard:
    """What came of several sentences about one pair.

    Attributes:
        answers: In the order of the sentences.
        ms: For all of them, the encoding of the images included.
    """

    answers: tuple[Said, ...]
    ms: float


class EngineWorker:
    """An engine in a process of its own; it is loaded by the constructor.

    Args:
        candidate: The engine.

    Attributes:
        capabilities: What it says of itself.
        start_s: How long it took to load, its packages included.

    Raises:
        EngineError: it cannot be loaded; the message names the remedy.
    """

    def __init__(self, candidate: Candidate) -> None:
        context = multiprocessing.get_context('spawn')
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, candidate),
                                        name=candidate.label, daemon=False)
        self._process.start()
        theirs.close()
        try:
            self._receive()  # it runs, and has loaded what every engine needs
            self._empty_mib = self._memory_mib()
            self._pipe.send(None)
            self.start_s, self.capabilities = cast(tuple[float, Capabilities], self._receive())
        except BaseException:
            self.close()
            raise

    def ask(self, pair: FramePair, sentences: Sequence[str]) -> Heard:
        """Ask about one pair, whose images are encoded once.

        Raises:
            EngineError: it could not answer.
        """
        self._pipe.send((pair, tuple(sentences)))
        return cast(Heard, self._receive())

    def memory_mib(self) -> float:
        """Return what the engine added to the memory of an empty process, with its children."""
        return self._memory_mib() - self._empty_mib

    def processor_s(self) -> float:
        """Return the processor time of the process and its children so far."""
        return sum(one.cpu_s for one in self._usages())

    def _memory_mib(self) -> float:
        return sum(one.rss_mib for one in self._usages())

    def _usages(self) -> list[Usage]:
        family = [self._process.pid or 0]
        for pid in family:
            for task in Path(f'/proc/{pid}/task').glob('*/children'):
                family += [int(child) for child in task.read_text().split()]
        return [usage_of(pid, 0.0) for pid in family]

    def _receive(self) -> Any:
        try:
            came = self._pipe.recv()
        except EOFError as error:
            raise EngineError(f'the process of {self._process.name} ended; look at its last '
                              'words above') from error
        if isinstance(came, str):
            raise EngineError(came)
        return came

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(_END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(pipe: Connection, candidate: Candidate) -> None:
    """Load an engine and answer until the pipe is closed."""
    pipe.send(())
    engine = None
    try:
        pipe.recv()
        started = time.perf_counter()
        engine = _load(candidate)
        pipe.send((time.perf_counter() - started, engine.capabilities()))
        while True:
            pair, sentences = pipe.recv()
            pipe.send(_hear(engine, pair, sentences))
    except EngineError as error:
        pipe.send(str(error))
    except (EOFError, KeyboardInterrupt):
        pass
    finally:
        if engine is not None:
            engine.close()


def _load(candidate: Candidate) -> Engine:
    from rtrack_ros.engines.registry import load_engine
    return load_engine(candidate.engine, candidate.model, **candidate.options)


def _hear(engine: Engine, pair: FramePair, sentences: Sequence[str]) -> Heard:
    """Ask as many sentences at once as the engine gains from."""
    facts, started = engine.capabilities(), time.perf_counter()
    answer = _answerer(engine, pair)

    def ask(sentence: str) -> Said:
        return _say(started, facts, sentence, answer)
    with ThreadPoolExecutor(facts.concurrency) as threads:
        answers = tuple(threads.map(ask, sentences))
    return Heard(answers, (time.perf_counter() - started) * 1e3)


def _answerer(engine: Engine, pair: FramePair) -> Callable[..., Reply]:
    """Return what answers prompts about a pair, its images encoded once where that can be."""
    if not engine.capabilities().shares_images:
        return partial(engine.infer, pair.images())
    shares = cast(SharesImages, engine)
    return partial(shares.answer, shares.encode(pair.images()))


def _say(started: float, facts: Capabilities, sentence: str, answer: Callable[..., Reply]
         ) -> Said:
    first: list[float] = []

    def on_text(_: str) -> None:
        if not first:
            first.append(time.perf_counter())
    reply = answer(ground_prompt(sentence, facts.prompt),
                   answer_grammar(_MAX_BOXES, facts.labels or None,
                                  largest_coordinate(facts.bbox_protocol, facts.image_size)),
                   TOKENS_PER_BOX * _MAX_BOXES, None, on_text)
    ended = time.perf_counter()
    return Said(reply.text, reply.tokens, (ended - started) * 1e3,
                ((first or [ended])[0] - started) * 1e3, reply.sent_bytes)
