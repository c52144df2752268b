"""Greedy answers of a model folder in batches, for measuring many checkpoints on a CPU.

An engine answers one question after another and is held to the grammar. Here a batch is answered
at once and nothing is held to anything: a text that the parser refuses counts as no answer.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import torch

from rtrack_ros.evaluation.streaming.protocol import Inference, Pairs
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Answer, Grounding
from rtrack_ros.language.parser import AnswerError, parse_answer
from rtrack_ros.language.prompts import ground_prompt
from rtrack_ros.language.queries import Query
from rtrack_ros.training.models.qwen import load_model, load_processor, read_manifest
from rtrack_ros.training.stages.records import row_of
from rtrack_ros.training.stages.shared_vision import share_vision
from rtrack_ros.training.tasks.ground import Example

BATCH: Final = 48
MAX_TOKENS: Final = 128


class BatchGrounder:
    """A model on transformers that answers batches of questions, in float32 on the CPU.

    Args:
        folder: Model folder.
    """

    def __init__(self, folder: Path) -> None:
        self._manifest = read_manifest(folder, None)
        self._processor = load_processor(folder, self._manifest)
        self._model = load_model(folder, 'float32', 'sdpa', train_vision=False).eval()
        share_vision(self._model)

    def ground(self, questions: Sequence[tuple[FramePair, str]]
               ) -> Iterator[tuple[Grounding, ...] | None]:
        """Yield the groundings of each question, None where the text was no answer.

        Args:
            questions: Frame pairs and sentences; neighbours that share a pair cost one encoding.
        """
        for start in range(0, len(questions), BATCH):
            batch = questions[start:start + BATCH]
            for (pair, _), text in zip(batch, self._texts(batch), strict=True):
                yield self._read(text, pair)

    def _texts(self, batch: Sequence[tuple[FramePair, str]]) -> list[str]:
        rows = [row_of(Example(tuple(pair.images()), ground_prompt(text, self._manifest.prompt),
                                (), ()), self._manifest, answered=False) for pair, text in batch]
        prompts = self._processor.apply_chat_template(
            [row['prompt'] for row in rows], add_generation_prompt=True, tokenize=False)
        inputs = self._processor(images=[row['images'] for row in rows], text=prompts,
                                 padding=True, return_tensors='pt')
        with torch.inference_mode():
            said = self._model.generate(**inputs, do_sample=False, max_new_tokens=MAX_TOKENS)
        return list(self._processor.tokenizer.batch_decode(
            said[:, inputs['input_ids'].shape[1]:], skip_special_tokens=True))

    def _read(self, text: str, pair: FramePair) -> tuple[Grounding, ...] | None:
        try:
            return parse_answer(text, self._manifest.bbox_protocol, (pair.width, pair.height),
                                self._manifest.image_size)
        except AnswerError:
            return None


class BatchAnswers:
    """The answers of a model about one recording, asked for ahead in one batch.

    Args:
        grounder: The model.
        pairs: The recording.
        stride: Pairs between two questions; a question about a pair is answered together with
            those about every ``stride``-th pair after it.
    """

    def __init__(self, grounder: BatchGrounder, pairs: Pairs, stride: int) -> None:
        self._grounder, self._pairs, self._stride = grounder, pairs, stride
        self._answers: dict[int, Inference] = {}

    def about(self, index: int, query: Query) -> Inference:
        """Return the answer about the pair of this index."""
        if index not in self._answers:
            ahead = [number for number in range(index, len(self._pairs), self._stride)
                     if number not in self._answers]
            pairs = [self._pairs[number] for number in ahead]
            found = self._grounder.ground([(pair, query.text) for pair in pairs])
            for number, pair, groundings in zip(ahead, pairs, found, strict=True):
                answer = Answer(pair.stamp_ns, query.id, query.epoch, groundings or ())
                self._answers[number] = Inference(answer, groundings is not None)
        return self._answers[index]
