"""The engine that runs llama.cpp: a GGUF pair in a child process, asked as a server is.

A process of its own and not llama.cpp's interface within this one: it ends the process it lives
in when an assertion of its own fails, it is niced as a whole, its memory is free at once when it
is closed, and a question is cancelled by closing its connection. What that costs is the
encoding of images and the loopback interface, see docs/engines.md.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rtrack_ros.engines.base import (
    CancelledError,
    Capabilities,
    DeadlineError,
    EngineError,
    Grammar,
    OnText,
    Prompt,
    Reply,
    SharesImages,
)
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.families import Family, find_facts
from rtrack_ros.engines.llamacpp.pair import GgufPair
from rtrack_ros.engines.llamacpp.process import ServerProcess
from rtrack_ros.engines.llamacpp.settings import ServerSettings
from rtrack_ros.engines.server.engine import EncodedImages, ServerEngine
from rtrack_ros.engines.server.images import exact_data_url
from rtrack_ros.frames import Image8
from rtrack_ros.model_thread import NICENESS

LOG: Final = logging.getLogger(__name__)

_DIALECT: Final = 'llamacpp'
_IMAGES: Final = 4
"""Most images of a question: following a target takes two pairs."""

_TEXT_TOKENS: Final = 2048
"""Room for a question's words and its answer; 50 boxes in a vocabulary that spells digits."""

_LEAST_PATCH: Final = 28
"""Pixels of a side of a visual token where the family is not known: the smallest that there is."""

_END_S: Final = 0.2


class LlamaCppEngine(SharesImages):
    """A Qwen-VL model as GGUF files, with llama.cpp.

    llama.cpp is started by the constructor, and again by the next question should it have ended.

    Args:
        model: A model folder that ``rtrack compile --engine llamacpp`` converted, or the path of
            a published model: a folder with a GGUF file and its projector (mmproj), or the file.
        threads: Inference threads; more shorten an answer and take cores from tracking.
        niceness: Added to the scheduling niceness of llama.cpp, 0 to 19; raising it lets
            tracking go first where cores are scarce.
        slots: Questions answered at once. On a CPU they share its threads, and nothing is gained.
        family: Family of the model, see ``families.FAMILIES``; empty takes what its
            ``rtrack.json`` or ``config.json`` says, else recognises it by its name.
        manifest: Folder with the ``rtrack.json`` of the model; empty looks beside its files.
        image_size: (width, height) in pixels that the model is shown; None for that of the
            manifest or the family.
        ready_timeout_s: Longest time until llama.cpp has loaded the model.

    Raises:
        EngineError: llama.cpp is missing, there is no such model, it is older than the weights it
            was converted from, its family is not known, or it cannot be loaded; the message names
            the remedy.
    """

    def __init__(self, model: Path | str, threads: int = 1, niceness: int = NICENESS,
                 slots: int = 1, family: str = '', manifest: Path | str = '',
                 image_size: tuple[int, int] | None = None,
                 ready_timeout_s: float = 120.0) -> None:
        pair = GgufPair.find(Path(model).expanduser())
        pair.check_weights()
        folder = Path(manifest) if manifest else pair.manifest
        facts = find_facts(pair.model.stem, pair.names, family, folder, image_size)
        size = facts.manifest.image_size
        self._settings = ServerSettings(
            str(pair.model.resolve()), str(pair.projector.resolve()), facts.manifest.name,
            threads, niceness, slots, _context(size, facts.family))
        self._family = facts.family.name if facts.family else ''
        self._folder, self._size = folder or '', size
        self._ready_timeout_s = ready_timeout_s
        self._lock = threading.Lock()
        self._closed = False
        self._start()
        self._capabilities = replace(self._server.capabilities(), name='llamacpp', device='CPU',
                                     precision=pair.precision, niceness=self._process.niceness)

    def _start(self) -> None:
        self._process = ServerProcess(self._settings, self._ready_timeout_s)
        try:
            self._server = ServerEngine(
                self._process.url, _DIALECT, family=self._family, manifest=self._folder,
                image_size=self._size, concurrency=self._settings.slots, encoder=exact_data_url)
        except BaseException:
            self._process.close()
            raise
        LOG.info('llama.cpp answers at %s, its log is %s', self._process.url, self._process.log)

    @property
    def pid(self) -> int:
        """Process id of llama.cpp, for whoever measures it."""
        return self._process.pid

    @property
    def url(self) -> str:
        """Where llama.cpp answers; another port when it was started again."""
        return self._process.url

    @property
    def log(self) -> Path:
        """File with the words of llama.cpp."""
        return self._process.log

    def capabilities(self) -> Capabilities:
        """Return what this engine can do."""
        return self._capabilities

    def encode(self, images: Sequence[Image8]) -> EncodedImages:
        """Resize and encode images for any number of prompts; see ``engines.base.SharesImages``.

        Raises:
            EngineError: an image cannot be encoded.
        """
        return self._server.encode(images)

    def answer(self, seen: EncodedImages, prompt: Prompt, grammar: Grammar | None,
               max_tokens: int, deadline_s: float | None = None,
               on_text: OnText | None = None,
               cancellation: Cancellation | None = None) -> Reply:
        """Answer one prompt about encoded images; see ``engines.base.SharesImages.answer``.

        Timings in milliseconds are those of ``server.engine.ServerEngine``.

        Raises:
            DeadlineError: the deadline passed; the engine stays usable.
            CancelledError: the question was taken back; the engine stays usable.
            EngineError: the prompt and the images do not fit, or llama.cpp ended; the engine
                stays usable unless it was closed.
        """
        started = time.perf_counter()
        process, server = self._running()
        if deadline_s is not None:
            deadline_s -= time.perf_counter() - started
        try:
            return server.answer(seen, prompt, grammar, max_tokens, deadline_s, on_text,
                                 cancellation)
        except (CancelledError, DeadlineError):
            raise
        except EngineError as error:
            if self._closed or not process.has_ended(_END_S):
                raise
            raise EngineError(f'llama.cpp ended while it was asked: {process.end()}; the next '
                              'question starts it again') from error

    def _running(self) -> tuple[ServerProcess, ServerEngine]:
        """Return what answers, started again where it had ended."""
        with self._lock:
            if not self._closed and self._process.has_ended():
                LOG.warning('llama.cpp had ended (%s) and is started again', self._process.end())
                self._server.close()
                self._process.close()
                self._start()
            return self._process, self._server

    def close(self) -> None:
        """End llama.cpp; the engine cannot be used afterwards."""
        with self._lock:
            self._closed = True
            self._server.close()
            self._process.close()


def _context(size: tuple[int, int], family: Family | None) -> int:
    """Return how many tokens the longest question needs with its answer."""
    side = family.patch_factor if family else _LEAST_PATCH
    return _IMAGES * (size[0] // side) * (size[1] // side) + _TEXT_TOKENS
