"""The reference engine: the same model on PyTorch and transformers, for training and for parity.

Images pass through the model's own image processor and text through its tokenizer; the two are
joined here, because the combined processor of the Qwen-VL family cannot be built without
torchvision.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.frames import Image8
from rtrack_ros.model_thread import NICENESS, ModelThread

if TYPE_CHECKING:
    from rtrack_ros.engines.batch import Question

IMAGE_TOKEN = '<|image_pad|>'
_AT_ONCE = 10
"""Questions about the same images that are answered in one batch."""


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

    def __init__(self, model: Path | str, threads: int = 1, niceness: int = NICENESS) -> None:
        folder = Path(model)
        self._manifest = read_manifest(folder)
        self._torch, self._transformers = _import_torch()
        self._thread = ModelThread('transformers', niceness)
        self._niceness = self._thread.niceness()
        self._model: Any = None
        self._lock = threading.Lock()
        self._waiting: list[Question] = []
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
                            accuracy=facts.accuracy, concurrency=_AT_ONCE, family=facts.family,
                            niceness=self._niceness,
                            split_sentences=facts.split_sentences)

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

        Questions of other threads about the same images that wait when it begins are answered
        with it, in one batch: each as it would be alone.

        Timings in milliseconds: 'preprocess' (images to tensors), 'vit' (image encoding),
        'total' (all of it).

        Raises:
            DeadlineError: the deadline passed; the engine stays usable.
            CancelledError: the question was taken back; the engine stays usable.
            EngineError: the prompt and the images do not fit, or torch failed; the engine stays
                usable unless it was closed.
        """
        from rtrack_ros.engines.batch import Question
        prompt.check_images(seen.images)
        check_time_left(deadline_s)
        question = Question(seen, prompt, grammar, max_tokens, None if deadline_s is None
                            else time.perf_counter() + deadline_s, on_text, cancellation)
        with self._lock:
            self._waiting.append(question)
        try:
            self._call(self._answer, question)
        finally:
            with self._lock:
                self._waiting = [other for other in self._waiting if other is not question]
        if cancellation is not None and cancellation.cancelled:
            raise CancelledError('the question was taken back')
        if question.unwanted:
            raise DeadlineError('no answer within the deadline; allow more time, or raise threads')
        assert question.reply is not None
        return question.reply

    def _answer(self, question: 'Question') -> None:
        """Answer a question, and with it all others about the same images that wait by now."""
        if question.reply is None and question.error is None:
            with self._lock:
                batch = [other for other in self._waiting if other.seen is question.seen
                         and other.reply is None and other.error is None]
            try:
                for other, reply in zip(batch, self._generate(batch), strict=True):
                    other.reply = reply
            except Exception as error:
                for other in batch:
                    other.error = error
        if question.error is not None:
            raise question.error

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

    def _generate(self, batch: 'Sequence[Question]') -> list[Reply]:
        from rtrack_ros.engines.batch import Batch, padded, repeated
        started = time.perf_counter()
        seen: EncodedImages = batch[0].seen
        rows = [self._tokens(question.prompt, seen.grids) for question in batch]
        ids, mask = padded([row['input_ids'][0] for row in rows], self._fill)
        inputs = {'input_ids': ids, 'attention_mask': mask,
                  'mm_token_type_ids': (ids == self._model.config.image_token_id).int()}
        if seen.images:
            inputs |= {'image_grid_thw': seen.grids.repeat(len(batch), 1), 'mm_encoder_outputs':
                       {'image': repeated(seen.features, len(batch))}}
        asked = Batch(batch, self._tokenizer, ids.shape[1],
                      self._model.generation_config.eos_token_id)
        with self._torch.inference_mode():
            output = self._model.generate(
                **inputs, do_sample=False, pad_token_id=self._fill,
                max_new_tokens=max(question.max_tokens for question in batch),
                logits_processor=[asked.choose], stopping_criteria=[asked.stop])
        total_ms = seen.preprocess_ms + seen.vit_ms + (time.perf_counter() - started) * 1e3
        return asked.replies(output, {'preprocess': seen.preprocess_ms, 'vit': seen.vit_ms,
                                      'total': total_ms})

    @property
    def _fill(self) -> int:
        """Token before shorter prompts of a batch and after its shorter answers."""
        fill = self._tokenizer.pad_token_id
        ends = self._model.generation_config.eos_token_id
        return int(fill if fill is not None else ends if isinstance(ends, int) else ends[0])

    def close(self) -> None:
        """Release memory; the engine cannot be used afterwards."""
        if self._model is not None:
            self._thread.call(setattr, self, '_model', None)
            self._thread.close()


def _import_torch() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise EngineError(f'{error.name} is not installed; install it with: pip install torch '
                          "'transformers>=5.23'") from error
    return torch, transformers
