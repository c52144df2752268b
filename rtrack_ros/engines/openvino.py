"""The embedded engine: a Qwen-VL model on OpenVINO GenAI, in process, on the CPU.

The pipeline lives in a thread of its own at a lower priority: tracking must finish within a camera
frame, and is served first where both want the same core.
"""

import ctypes
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    check_time_left,
)
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.engines.chat import chat_text
from rtrack_ros.engines.compiled import OPENVINO_FOLDER, CompiledModel
from rtrack_ros.engines.families import read_manifest
from rtrack_ros.engines.likelihood import mean_token_probability
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import Image8
from rtrack_ros.model_thread import NICENESS, ModelThread

# A question is passed on as the text it is: the engines of a model must read the same one.
_PASS_ON = "{% for message in messages %}{{ message['content'] }}{% endfor %}"

# The runtime keeps one to two KiB of every answer, until its pipeline is let go.
_RENEWED_AFTER = 1000
_RENEWING_SHARE = 0.01
"""Longest share of the time that may go into loading pipelines anew."""


@dataclass(eq=False)
class SeenImages:
    """Images as the pipeline gets them.

    Attributes:
        tensors: Resized images, uint8 (h, w, 3).
        preprocess_ms: Wall time of resizing.
    """

    tensors: list[Any]
    preprocess_ms: float


class OpenVinoEngine(SharesImages):
    """rtrack-nano, or another exported Qwen-VL model, on OpenVINO GenAI.

    Args:
        model: Model folder of a known family with an ``openvino`` folder inside.
        threads: Inference threads; more shorten an answer and take cores from tracking.
        niceness: Added to the scheduling niceness of the inference threads, 0 to 19; raising it
            lets tracking go first where cores are scarce.

    Raises:
        StaleExportError: the weights in the folder are no longer those of the export.
        EngineError: OpenVINO GenAI is missing, or the folder holds no usable export.
    """

    def __init__(self, model: Path | str, threads: int = 1, niceness: int = NICENESS) -> None:
        folder = Path(model)
        self._manifest = read_manifest(folder)
        self._compiled = CompiledModel.read(folder / OPENVINO_FOLDER)
        self._compiled.check_weights(folder)
        self._genai = _import_genai()
        self._thread = ModelThread('openvino', niceness)
        self._niceness = self._thread.niceness()
        self._kept: tuple[SeenImages, Any] | None = None
        self._folder, self._threads = folder, threads
        self._closed = False
        try:
            self._thread.call(self._renew)
            # One of its own: that of the pipeline goes when the pipeline is renewed.
            self._tokenizer = self._thread.call(self._genai.Tokenizer,
                                                str(folder / OPENVINO_FOLDER))
        except EngineError:
            self._thread.close()
            raise

    def _renew(self) -> None:
        """Load the pipeline, or load it anew after the last one was let go."""
        started = time.perf_counter()
        try:
            self._pipeline = self._load()
        except RuntimeError as error:
            raise EngineError(f'OpenVINO cannot load {self._folder / OPENVINO_FOLDER}: {error}; '
                              f'export it again with: rtrack compile --model {self._folder}'
                              ) from error
        self._answers = 0
        self._loaded = time.perf_counter()
        self._loading_s = self._loaded - started

    def _is_due(self) -> bool:
        """Whether the pipeline is missing, or has answered for so long that it is renewed."""
        answering_s = time.perf_counter() - self._loaded
        return self._pipeline is None or (
            self._answers >= _RENEWED_AFTER and self._loading_s < _RENEWING_SHARE * answering_s)

    def _load(self) -> Any:
        # The paged scheduler, unlike the stateful one, is still usable after a failed request.
        # Its prefix cache saves nothing on a prompt that is nearly all fresh image.
        scheduler = self._genai.SchedulerConfig()
        scheduler.enable_prefix_caching = False
        scheduler.max_num_batched_tokens = 8192
        # Left alone the runtime computes in bfloat16 where the CPU can: a fifth faster, but the
        # boxes would then differ between machines and from the model that was evaluated.
        pipeline = self._genai.VLMPipeline(
            str(self._folder / OPENVINO_FOLDER), 'CPU', scheduler_config=scheduler,
            ATTENTION_BACKEND='PA', INFERENCE_NUM_THREADS=self._threads,
            ENABLE_CPU_PINNING=False, INFERENCE_PRECISION_HINT='f32', KV_CACHE_PRECISION='f32')
        pipeline.get_tokenizer().set_chat_template(_PASS_ON)
        return pipeline

    def capabilities(self) -> Capabilities:
        """Return what this engine can do."""
        facts = self._manifest
        return Capabilities('openvino', facts.name, 'CPU', self._compiled.precision,
                            facts.bbox_protocol, facts.image_size, True, facts.labels,
                            facts.prompt, facts.crops, facts.refine, shares_images=True,
                            tasks=facts.tasks, accuracy=facts.accuracy, family=facts.family,
                            niceness=self._niceness,
                            split_sentences=facts.split_sentences)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has; see ``engines.base.CountsTokens``."""
        return int(self._tokenizer.encode(text, add_special_tokens=False).input_ids.shape[1])

    def encode(self, images: Sequence[Image8]) -> SeenImages:
        """Resize images for any number of prompts; see ``engines.base.SharesImages``.

        The pipeline encodes them at the first answer and keeps their patch embeddings until it
        is asked about other images; the layers above are computed for every answer.
        """
        import openvino
        started = time.perf_counter()
        resized = [resize_image(image, self._manifest.image_size) for image in images]
        preprocess_ms = (time.perf_counter() - started) * 1e3
        return SeenImages([openvino.Tensor(image) for image in resized], preprocess_ms)

    def answer(self, seen: SeenImages, prompt: Prompt, grammar: Grammar | None,
               max_tokens: int, deadline_s: float | None = None,
               on_text: OnText | None = None,
               cancellation: Cancellation | None = None) -> Reply:
        """Answer one prompt about encoded images; see ``engines.base.SharesImages.answer``.

        Timings in milliseconds: 'preprocess' (resizing), 'vit' (image encoding), 'ttft' (from
        the request to the first token), 'decode' (the other tokens), 'total' (all of it).

        Raises:
            DeadlineError: the deadline passed; the engine stays usable.
            CancelledError: the question was taken back; the engine stays usable.
            EngineError: the prompt and the images do not fit, or the runtime failed; the engine
                stays usable unless it was closed.
        """
        if self._closed:
            raise EngineError('the engine is closed; load it again')
        prompt.check_images(len(seen.tensors))
        check_time_left(deadline_s)
        started = time.perf_counter()
        deadline = None if deadline_s is None else started + deadline_s
        if self._is_due():
            # Before the next is loaded: a robot has room for one. Not in the thread of the model:
            # the runtime takes 40 ms to take a pipeline down, under Python's lock, for which
            # tracking waits; at a lower priority it would wait for all other processes as well.
            self._let_go()
            self._thread.call(self._renew)
        result = self._thread.call(self._generate, seen, chat_text(prompt),
                                   self._config(grammar, max_tokens), deadline, on_text,
                                   cancellation)
        if cancellation is not None and cancellation.cancelled:
            raise CancelledError('the question was taken back')
        if deadline is not None and time.perf_counter() > deadline:
            raise DeadlineError(f'no answer within {deadline_s} s; allow more time, or raise '
                                'threads')
        return self._reply(result, seen.preprocess_ms, started)

    def _config(self, grammar: Grammar | None, max_tokens: int) -> Any:
        config = self._genai.GenerationConfig()
        config.max_new_tokens = max_tokens
        config.do_sample = False
        config.logprobs = 1
        if grammar is not None:
            config.structured_output_config = self._genai.StructuredOutputConfig(
                regex=grammar.regex)
        return config

    def _generate(self, seen: SeenImages, text: str, config: Any, deadline: float | None,
                  on_text: OnText | None, cancellation: Cancellation | None) -> Any:
        self._answers += 1
        # The pipeline keeps what it encoded while a conversation about it exists, and recognises
        # images by a hash of a sample of their bytes. Two frames of a still camera may share it,
        # so that no conversation about other images may be alive. All questions are put this way:
        # a pipeline that is also asked without a conversation mixes up the images.
        if self._kept is not None and self._kept[0] is not seen:
            self._kept = None
        asked = self._genai.ChatHistory([{'role': 'user', 'content': text}])
        watched = any(it is not None for it in (deadline, on_text, cancellation))
        options = ({'streamer': self._watcher(deadline, on_text, cancellation)} if watched
                   else {})
        try:
            result = self._pipeline.generate(asked, images=seen.tensors, generation_config=config,
                                             **options)
        except RuntimeError as error:
            asked = None  # the exception keeps this frame alive
            raise EngineError(f'OpenVINO could not answer: {error}') from error
        self._kept = self._kept or (seen, asked)
        return result

    def _watcher(self, deadline: float | None, on_text: OnText | None,
                 cancellation: Cancellation | None) -> Any:
        """Return what the pipeline calls with every piece of text: passes it on, or ends it."""
        status = self._genai.StreamingStatus
        pieces: list[str] = []

        def watch(piece: str) -> Any:
            if on_text is not None:
                pieces.append(piece)
                on_text(''.join(pieces))
            late = deadline is not None and time.perf_counter() > deadline
            unwanted = cancellation is not None and cancellation.cancelled
            return status.CANCEL if late or unwanted else status.RUNNING
        return watch

    def _reply(self, result: Any, preprocess_ms: float, started: float) -> Reply:
        finish = {self._genai.GenerationFinishReason.STOP: 'stop',
                  self._genai.GenerationFinishReason.LENGTH: 'length'}
        metrics = result.perf_metrics
        tokens = int(metrics.get_num_generated_tokens())
        timings = {
            'preprocess': preprocess_ms,
            'vit': float(metrics.get_vision_encoding_duration().mean),
            'ttft': preprocess_ms + float(metrics.get_ttft().mean),
            'decode': max(tokens - 1, 0) * max(float(metrics.get_tpot().mean), 0.0),
            'total': preprocess_ms + (time.perf_counter() - started) * 1e3,
        }
        return Reply(result.texts[0], tokens, finish.get(result.finish_reasons[0], 'error'),
                     timings, mean_token_probability(float(result.scores[0]), tokens))

    def close(self) -> None:
        """Release memory; the engine cannot be used afterwards."""
        if not self._closed:
            self._closed = True
            self._thread.call(self._let_go)
            self._thread.close()

    def _let_go(self) -> None:
        self._kept = self._pipeline = None
        with suppress(AttributeError, OSError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)


def _import_genai() -> Any:
    try:
        import openvino_genai
    except ImportError as error:
        raise EngineError("OpenVINO GenAI is not installed; install it with: pip install "
                          "'openvino-genai>=2026.4'") from error
    return openvino_genai
