"""The embedded engine: a Qwen-VL model on OpenVINO GenAI, in process, on the CPU.

The pipeline lives in a thread of its own at a lower priority: tracking must finish within a camera
frame, and is served first where both want the same core.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rtrack_ros.engines.base import (
    Capabilities,
    DeadlineError,
    EngineError,
    Grammar,
    Prompt,
    Reply,
)
from rtrack_ros.engines.chat import chat_text
from rtrack_ros.engines.compiled import OPENVINO_FOLDER, CompiledModel
from rtrack_ros.engines.likelihood import mean_token_probability
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.engines.worker import ModelThread
from rtrack_ros.frames import Image8


class OpenVinoEngine:
    """rtrack-nano, or another exported Qwen-VL model, on OpenVINO GenAI.

    Args:
        model: Model folder with ``rtrack.json`` and an ``openvino`` folder inside.
        threads: Inference threads; more shorten an answer and take cores from tracking.
        niceness: Added to the scheduling niceness of the inference threads, 0 to 19; raising it
            lets tracking go first where cores are scarce.

    Raises:
        EngineError: OpenVINO GenAI is missing, or the folder holds no usable export.
    """

    def __init__(self, model: Path | str, threads: int = 1, niceness: int = 5) -> None:
        folder = Path(model)
        self._manifest = ModelManifest.read(folder)
        self._compiled = CompiledModel.read(folder / OPENVINO_FOLDER)
        self._genai = _import_genai()
        self._thread = ModelThread('openvino', niceness)
        try:
            self._pipeline = self._thread.call(self._load, folder / OPENVINO_FOLDER, threads)
        except RuntimeError as error:
            self._thread.close()
            raise EngineError(f'OpenVINO cannot load {folder / OPENVINO_FOLDER}: {error}; export '
                              f'it again with: rtrack compile --model {folder}') from error

    def _load(self, folder: Path, threads: int) -> Any:
        # The paged scheduler, unlike the stateful one, is still usable after a failed request.
        # Its prefix cache saves nothing on a prompt that is nearly all fresh image.
        scheduler = self._genai.SchedulerConfig()
        scheduler.enable_prefix_caching = False
        scheduler.max_num_batched_tokens = 8192
        # Left alone the runtime computes in bfloat16 where the CPU can: a fifth faster, but the
        # boxes would then differ between machines and from the model that was evaluated.
        return self._genai.VLMPipeline(
            str(folder), 'CPU', scheduler_config=scheduler, ATTENTION_BACKEND='PA',
            INFERENCE_NUM_THREADS=threads, ENABLE_CPU_PINNING=False,
            INFERENCE_PRECISION_HINT='f32', KV_CACHE_PRECISION='f32')

    def capabilities(self) -> Capabilities:
        """Return what this engine can do."""
        facts = self._manifest
        return Capabilities('openvino', facts.name, 'CPU', self._compiled.precision,
                            facts.bbox_protocol, facts.image_size, True, facts.labels,
                            facts.prompt)

    def infer(self, images: Sequence[Image8], prompt: Prompt, grammar: Grammar | None,
              max_tokens: int, deadline_s: float | None = None) -> Reply:
        """Answer one prompt; see ``engines.base.Engine.infer``.

        Timings in milliseconds: 'preprocess' (resizing), 'vit' (image encoding), 'ttft' (from
        the request to the first token), 'decode' (the other tokens), 'total' (all of it).

        Raises:
            DeadlineError: the deadline passed; the engine stays usable.
            EngineError: the prompt and the images do not fit, or the runtime failed; the engine
                stays usable unless it was closed.
        """
        if self._pipeline is None:
            raise EngineError('the engine is closed; load it again')
        if len(images) != prompt.images:
            raise EngineError(f'the prompt has places for {prompt.images} images and got '
                              f'{len(images)}; pass one image for each place')
        started = time.perf_counter()
        resized = [resize_image(image, self._manifest.image_size) for image in images]
        preprocess_ms = (time.perf_counter() - started) * 1e3
        deadline = None if deadline_s is None else started + deadline_s
        result = self._thread.call(self._generate, resized, chat_text(prompt),
                                   self._config(grammar, max_tokens), deadline)
        if deadline is not None and time.perf_counter() > deadline:
            raise DeadlineError(f'no answer within {deadline_s} s; allow more time, or raise '
                                'threads')
        return self._reply(result, preprocess_ms, started)

    def _config(self, grammar: Grammar | None, max_tokens: int) -> Any:
        config = self._genai.GenerationConfig()
        config.max_new_tokens = max_tokens
        config.do_sample = False
        config.apply_chat_template = False
        config.logprobs = 1
        if grammar is not None:
            config.structured_output_config = self._genai.StructuredOutputConfig(
                regex=grammar.regex)
        return config

    def _generate(self, images: list[Image8], text: str, config: Any,
                  deadline: float | None) -> Any:
        import openvino
        tensors = [openvino.Tensor(image) for image in images]
        options = {} if deadline is None else {'streamer': self._stopper(deadline)}
        try:
            return self._pipeline.generate(text, images=tensors, generation_config=config,
                                           **options)
        except RuntimeError as error:
            raise EngineError(f'OpenVINO could not answer: {error}') from error

    def _stopper(self, deadline: float) -> Any:
        status = self._genai.StreamingStatus

        def stop_when_late(_: str) -> Any:
            return status.CANCEL if time.perf_counter() > deadline else status.RUNNING
        return stop_when_late

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
            'total': (time.perf_counter() - started) * 1e3,
        }
        return Reply(result.texts[0], tokens, finish.get(result.finish_reasons[0], 'error'),
                     timings, mean_token_probability(float(result.scores[0]), tokens))

    def close(self) -> None:
        """Release memory; the engine cannot be used afterwards."""
        if self._pipeline is not None:
            self._thread.call(setattr, self, '_pipeline', None)
            self._thread.close()


def _import_genai() -> Any:
    try:
        import openvino_genai
    except ImportError as error:
        raise EngineError("OpenVINO GenAI is not installed; install it with: pip install "
                          "'openvino-genai>=2026.4'") from error
    return openvino_genai

