"""The engine that asks a server: TensorRT-LLM, Edge-LLM, vLLM, SGLang, llama.cpp and others."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rtrack_ros.engines.base import (
    Capabilities,
    Grammar,
    OnText,
    Prompt,
    Reply,
    SharesImages,
    check_time_left,
)
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.families import find_facts
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.engines.server.address import ServerAddress
from rtrack_ros.engines.server.answer import Answer
from rtrack_ros.engines.server.api_key import API_KEY_VARIABLE, ApiKey
from rtrack_ros.engines.server.client import Client
from rtrack_ros.engines.server.deadline import Deadline
from rtrack_ros.engines.server.dialects import AUTO
from rtrack_ros.engines.server.discovery import discover
from rtrack_ros.engines.server.errors import Faults
from rtrack_ros.engines.server.images import DataUrl, data_url
from rtrack_ros.engines.server.models import Server
from rtrack_ros.frames import Image8

_LONGEST_BACK_OFF_S = 1.0
"""A server that comes back is asked again within this time; one that is away costs nothing."""

_FINISHES = {'stop': 'stop', 'length': 'length'}


@dataclass(frozen=True)
class EncodedImages:
    """Images as a request carries them.

    Attributes:
        urls: Data URLs.
        preprocess_ms: Wall time of resizing and encoding.
    """

    urls: tuple[str, ...]
    preprocess_ms: float


class ServerEngine(SharesImages):
    """A model behind any server that speaks the chat interface of OpenAI.

    It may be used by any number of threads; each has a connection of its own. Images are resized
    here: some servers do it by a rule of their own, others not at all.

    Args:
        url: Base URL, for example 'http://127.0.0.1:8000'; without a path '/v1' is meant.
        dialect: What the server speaks, see ``dialects.DIALECTS``; 'auto' finds out.
        served_model: The server's name for the model; empty where it has only one.
        family: Family of the model, see ``families.FAMILIES``; empty recognises it by its name.
        manifest: Folder with the ``rtrack.json`` of the model, which then holds in place of what
            is known of its family; empty for none.
        image_size: (width, height) in pixels that the model is shown, multiples of the family's
            patch factor; None for that of the manifest or the family.
        api_key_env: Name of the environment variable that holds the API key, if one is needed.
        concurrency: Questions that may be in flight; 0 takes what the server tells, or what its
            dialect is known for.
        ready_timeout_s: For how long a server that takes no connections yet, or is loading, is
            asked again before it is given up.
        silence_s: How long the server may be silent on a question that has no deadline.
        encoder: Makes of an image what is sent.

    Raises:
        EngineError: the server cannot be reached, is none, lacks the model or refuses to answer,
            or the model is of no known family; the message names the remedy.
    """

    def __init__(self, url: str, dialect: str = AUTO, served_model: str = '', family: str = '',
                 manifest: Path | str = '', image_size: tuple[int, int] | None = None,
                 api_key_env: str = API_KEY_VARIABLE, concurrency: int = 0,
                 ready_timeout_s: float = 10.0, silence_s: float = 60.0,
                 encoder: DataUrl = data_url) -> None:
        address, key = ServerAddress.parse(url), ApiKey(api_key_env)
        faults = Faults(address, key)
        self._client = Client(address, faults, key)
        self._silence_s, self._encoder = silence_s, encoder
        try:
            found = discover(Server(address, self._client, faults), dialect, served_model,
                             ready_timeout_s, silence_s)
            facts = find_facts(found.model.id, (found.model.id, found.model.root), family,
                               Path(manifest) if manifest else None, image_size).manifest
        except BaseException:
            self._client.close()
            raise
        # What the template writes in place of a thought shows that the model has them.
        self._chat = replace(found.chat, thinks=bool(facts.answer_start))
        self._capabilities = Capabilities(
            'server', facts.name, f'{found.chat.dialect.name} at {address}', 'as served',
            facts.bbox_protocol, facts.image_size, found.constrained, facts.labels, facts.prompt,
            facts.crops, facts.refine, shares_images=True, tasks=facts.tasks,
            accuracy=facts.accuracy, concurrency=concurrency or found.concurrency,
            longest_back_off_s=_LONGEST_BACK_OFF_S, family=facts.family,
            split_sentences=facts.split_sentences)

    def capabilities(self) -> Capabilities:
        """Return what this engine can do."""
        return self._capabilities

    def encode(self, images: Sequence[Image8]) -> EncodedImages:
        """Resize and encode images for any number of prompts; see ``engines.base.SharesImages``.

        Raises:
            EngineError: an image cannot be encoded.
        """
        started = time.perf_counter()
        size = self._capabilities.image_size
        urls = tuple(self._encoder(resize_image(image, size)) for image in images)
        return EncodedImages(urls, (time.perf_counter() - started) * 1e3)

    def answer(self, seen: EncodedImages, prompt: Prompt, grammar: Grammar | None,
               max_tokens: int, deadline_s: float | None = None,
               on_text: OnText | None = None,
               cancellation: Cancellation | None = None) -> Reply:
        """Answer one prompt about encoded images; see ``engines.base.SharesImages.answer``.

        Timings in milliseconds: 'preprocess' (resizing and encoding), 'ttft' (from the request to
        the first piece of text, with that), 'decode' (the rest of the text), 'total' (all of it).

        Raises:
            DeadlineError: the deadline passed; the engine stays usable.
            CancelledError: the question was taken back; the engine stays usable.
            EngineError: the prompt and the images do not fit, or the server gave no answer; the
                engine stays usable unless it was closed.
        """
        prompt.check_images(len(seen.urls))
        check_time_left(deadline_s)
        started = time.perf_counter()
        answer = self._chat.ask(prompt, seen.urls, grammar, max_tokens,
                                Deadline(deadline_s, self._silence_s), on_text, cancellation)
        return _reply(answer, seen.preprocess_ms, started)

    def close(self) -> None:
        """End what is under way and close all connections; of no use afterwards."""
        self._client.close()


def _reply(answer: Answer, preprocess_ms: float, started: float) -> Reply:
    ended = time.perf_counter()
    first = answer.first_at or ended
    timings = {'preprocess': preprocess_ms, 'ttft': preprocess_ms + (first - started) * 1e3,
               'decode': (ended - first) * 1e3, 'total': preprocess_ms + (ended - started) * 1e3}
    return Reply(answer.text, answer.tokens, _FINISHES.get(answer.finish or '', 'error'), timings,
                 answer.confidence, answer.sent_bytes)
