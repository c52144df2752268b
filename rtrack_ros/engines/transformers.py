"""The reference engine: the same model on PyTorch and transformers, for training and for parity.

Images pass through the model's own image processor and text through its tokenizer; the two are
joined here, because the combined processor of the Qwen-VL family cannot be built without
torchvision.
"""

import time
from collections.abc import Callable, Sequence
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
from rtrack_ros.engines.families import read_manifest
from rtrack_ros.engines.likelihood import mean_token_probability
from rtrack_ros.engines.model_thread import ModelThread
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import Image8

IMAGE_TOKEN = '<|image_pad|>'


@dataclass(frozen=True, eq=False)
class EncodedImages:
    """What the vision tower made of some images.

    Attributes:
        features: Output of ``get_image_features``; None without images.
        grids: Patches of each image along (time, height, width), int64, shape (images, 3).
        preprocess_ms: Wall time of resizing and normalising.
        vit_ms: Wall time of the vision tower.
    """

    features: Any
    grids: Any
    preprocess_ms: float
    vit_ms: float

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.grids)


class TransformersEngine(SharesImages):
    """A Qwen-VL model folder on transformers, greedy, in float32 on the CPU.

    Args:
        model: Model folder of a known family, as downloaded or as ``rtrack train`` wrote it.
        threads: Inference threads; more shorten an answer and take cores from tracking. Torch
            keeps one such number for the whole process.
        niceness: Added to the scheduling niceness of the inference threads, 0 to 19.

    Raises:
        EngineError: torch or transformers is missing, or the folder cannot be loaded.
    """

    def __init__(self, model: Path | str, threads: int = 1, niceness: int = 5) -> None:
        folder = Path(model)
        self._manifest = read_manifest(folder)
        self._torch, self._transformers = _import_torch()
        self._thread = ModelThread('transformers', niceness)
        self._model: Any = None
        try:
            self._thread.call(self._load, folder, threads)
        except (OSError, ValueError, RuntimeError) as error:
            self._thread.close()
            raise EngineError(f'transformers cannot load {folder}: {error}; give a folder that '
                              'rtrack train wrote') from error

    def _load(self, folder: Path, threads: int) -> None:
        self._torch.set_num_threads(threads)
        library = self._transformers
        self._tokenizer = library.AutoTokenizer.from_pretrained(folder)
        width, height = self._manifest.image_size
        # The limits of a downloaded folder may be others, and would resize once more.
        self._images = library.AutoImageProcessor.from_pretrained(
            folder, size={'shortest_edge': width * height, 'longest_edge': width * height})
        self._model = library.AutoModelForImageTextToText.from_pretrained(
            folder, dtype=self._torch.float32, attn_implementation='sdpa').eval()

    def capabilities(self) -> Capabilities:
        """Return what this engine can do."""
        facts = self._manifest
        return Capabilities('transformers', facts.name, 'CPU', 'float32', facts.bbox_protocol,
                            facts.image_size, True, facts.labels, facts.prompt, facts.crops,
                            facts.refine, shares_images=True, tasks=facts.tasks,
                            accuracy=facts.accuracy, family=facts.family)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has; see ``engines.base.CountsTokens``."""
        # What computes below the tokenizer: that itself must not be used by two threads.
        return len(self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False))

    def encode(self, images: Sequence[Image8]) -> EncodedImages:
        """Encode images once, for any number of prompts; see ``engines.base.SharesImages``.

        Raises:
            EngineError: torch failed; the engine stays usable unless it was closed.
        """
        return self._call(self._encode, images)

    def answer(self, seen: EncodedImages, prompt: Prompt, grammar: Grammar | None,
               max_tokens: int, deadline_s: float | None = None,
               on_text: OnText | None = None,
               cancellation: Cancellation | None = None) -> Reply:
        """Answer one prompt about encoded images; see ``engines.base.SharesImages.answer``.

        Timings in milliseconds: 'preprocess' (images to tensors), 'vit' (image encoding),
        'total' (all of it).

        Raises:
            DeadlineError: the deadline passed; the engine stays usable.
            CancelledError: the question was taken back; the engine stays usable.
            EngineError: the prompt and the images do not fit, or torch failed; the engine stays
                usable unless it was closed.
        """
        prompt.check_images(seen.images)
        started = time.perf_counter()
        check_time_left(deadline_s)
        reply: Reply = self._call(self._generate, seen, prompt, grammar, max_tokens, deadline_s,
                                  on_text, cancellation)
        if cancellation is not None and cancellation.cancelled:
            raise CancelledError('the question was taken back')
        if deadline_s is not None and time.perf_counter() - started > deadline_s:
            raise DeadlineError('no answer within the deadline; allow more time, or raise threads')
        return reply

    def _call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function in the model's thread, torch's errors as those of an engine."""
        if self._model is None:
            raise EngineError('the engine is closed; load it again')
        try:
            return self._thread.call(function, *args)
        except RuntimeError as error:
            if isinstance(error, EngineError):
                raise
            raise EngineError(f'torch could not answer: {error}') from error

    def inputs(self, images: Sequence[Image8], prompt: Prompt) -> dict[str, Any]:
        """Return the tensors the model reads for one prompt, the pixels of its images included."""
        pixels = self._pixels(images)
        return self._tokens(prompt, pixels.get('image_grid_thw', ())) | pixels

    def _pixels(self, images: Sequence[Image8]) -> dict[str, Any]:
        if not images:
            return {}
        resized = [resize_image(image, self._manifest.image_size) for image in images]
        return dict(self._images(images=resized, return_tensors='pt'))

    def _tokens(self, prompt: Prompt, grids: Any) -> dict[str, Any]:
        """Return the text tensors of a prompt about images of these grids.

        ``mm_token_type_ids`` is among them: without it the model runs on with wrong positions.
        """
        facts = self._manifest
        text = self._with_image_tokens(chat_text(prompt, facts.system, facts.answer_start), grids)
        ids = self._torch.tensor([self._tokenizer(text, add_special_tokens=False).input_ids])
        return {'input_ids': ids, 'attention_mask': self._torch.ones_like(ids),
                'mm_token_type_ids': (ids == self._model.config.image_token_id).int()}

    def _with_image_tokens(self, text: str, grids: Any) -> str:
        pieces = text.split(IMAGE_TOKEN)
        merged = self._images.merge_size ** 2
        joined = [pieces[0]]
        for grid, piece in zip(grids, pieces[1:], strict=True):
            joined += [IMAGE_TOKEN * (int(grid.prod()) // merged), piece]
        return ''.join(joined)

    def _encode(self, images: Sequence[Image8]) -> EncodedImages:
        started = time.perf_counter()
        pixels = self._pixels(images)
        resized = time.perf_counter()
        features = None
        if images:
            with self._torch.inference_mode():
                features = self._model.get_image_features(**pixels, return_dict=True)
        vit_ms = (time.perf_counter() - resized) * 1e3
        return EncodedImages(features, pixels.get('image_grid_thw', ()),
                             (resized - started) * 1e3, vit_ms)

    def _generate(self, seen: EncodedImages, prompt: Prompt, grammar: Grammar | None,
                  max_tokens: int, deadline_s: float | None, on_text: OnText | None,
                  cancellation: Cancellation | None) -> Reply:
        from rtrack_ros.engines.greedy import GreedyUnderGrammar
        started = time.perf_counter()
        inputs = self._tokens(prompt, seen.grids)
        length = inputs['input_ids'].shape[1]
        if seen.images:
            inputs |= {'image_grid_thw': seen.grids,
                       'mm_encoder_outputs': {'image': seen.features}}
        choose = GreedyUnderGrammar(self._tokenizer, length, grammar,
                                    self._model.generation_config.eos_token_id)
        with self._torch.inference_mode():
            output = self._model.generate(
                **inputs, do_sample=False, max_new_tokens=max_tokens, max_time=deadline_s,
                logits_processor=[choose], stopping_criteria=self._stops(cancellation),
                streamer=None if on_text is None else _TextWatcher(self._tokenizer, on_text))
        chosen = output[0, length:].tolist()
        text = self._tokenizer.decode(chosen, skip_special_tokens=True)
        finish = 'stop' if chosen and chosen[-1] in choose.ends else 'length'
        total_ms = seen.preprocess_ms + seen.vit_ms + (time.perf_counter() - started) * 1e3
        timings = {'preprocess': seen.preprocess_ms, 'vit': seen.vit_ms, 'total': total_ms}
        return Reply(text, len(chosen), finish, timings,
                     mean_token_probability(choose.log_likelihood, len(chosen)))

    def _stops(self, cancellation: Cancellation | None) -> list[Any]:
        """Return what ``generate`` asks after every token whether to go on."""
        if cancellation is None:
            return []
        return [lambda ids, scores, **_: self._torch.full((len(ids),), cancellation.cancelled,
                                                          device=ids.device)]

    def close(self) -> None:
        """Release memory; the engine cannot be used afterwards."""
        if self._model is not None:
            self._thread.call(setattr, self, '_model', None)
            self._thread.close()


class _TextWatcher:
    """What ``generate`` gives the prompt to and then every token: passes the text on."""

    def __init__(self, tokenizer: Any, on_text: OnText) -> None:
        self._tokenizer, self._on_text = tokenizer, on_text
        self._chosen: list[int] | None = None

    def put(self, tokens: Any) -> None:
        """Take the prompt first, then one token after another."""
        if self._chosen is None:
            self._chosen = []
            return
        self._chosen += tokens.tolist()
        self._on_text(self._tokenizer.decode(self._chosen, skip_special_tokens=True))

    def end(self) -> None:
        """Do nothing: the reply has the whole text."""


def _import_torch() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise EngineError(f'{error.name} is not installed; install it with: pip install torch '
                          "'transformers>=5.23'") from error
    return torch, transformers
