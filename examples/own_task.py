"""A task of your own: how many objects does a sentence mean?

    python examples/own_task.py

A task has a prompt, a grammar of its answers, a class that asks, training questions, and a figure
that says how well it is done. docs/guides/add_a_task.md says where each piece goes.
"""

import json
from collections.abc import Sequence
from statistics import mean
from typing import Any, Final

import numpy as np

from rtrack_ros.benchmarks.grounding import cases
from rtrack_ros.engines.base import Engine, Grammar, Prompt
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.parser import parse_words
from rtrack_ros.language.prompts import plain_sentence
from rtrack_ros.language.task_client import TaskClient
from rtrack_ros.training.tasks.clips import Clip, SimulatedClip, with_sentences
from rtrack_ros.training.tasks.ground import Example

_COUNT: Final = {
    'brief': 'count {sentence}\nRGB:',
    'full': 'Two registered pictures of one moment follow, first RGB, then thermal (white is '
            'hot). How many objects match this: {sentence}? Answer with a number.\nRGB:'}


def count_prompt(text: str, style: str = 'brief') -> Prompt:
    """Return the prompt that asks how many objects a sentence means."""
    first = _COUNT[style].format(sentence=plain_sentence(text))
    return Prompt((first, None, 'Thermal:', None))


def count_grammar() -> Grammar:
    """Return the grammar of a number from 0 to 99."""
    number = '(0|[1-9][0-9]?)'
    return Grammar(number, 'root ::= "0" | [1-9] [0-9]?',
                   json.dumps({'type': 'string', 'pattern': f'^{number}$'}))


class Counter:
    """Asks an engine how many objects a sentence means. Used by one thread at a time.

    Raises:
        TaskError: the engine's model was not trained to count.
    """

    def __init__(self, engine: Engine) -> None:
        self._client, self._grammar = TaskClient(engine, 'count'), count_grammar()

    def count(self, pair: FramePair, sentence: str, deadline_s: float | None = None) -> int:
        """Return the number of objects that the sentence means.

        Raises:
            EngineError: no text could be produced.
            AnswerError: the text is no number, or was cut off.
        """
        prompt = count_prompt(sentence, self._client.capabilities.prompt)
        reply = self._client.ask([pair], prompt, self._grammar, 3, deadline_s)
        return int(parse_words(reply.text, self._grammar))


class Count:
    """Training questions by number: a question follows from its number alone."""

    def __init__(self, clips: Sequence[Clip], style: str, count: int, seed: int) -> None:
        self._clips, self._style = with_sentences(clips), style
        self._count, self._seed = count, seed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Example:
        rng = np.random.default_rng((self._seed, number))
        clip = self._clips[int(rng.integers(len(self._clips)))]
        sentence, index = int(rng.integers(len(clip.sentences))), int(rng.integers(len(clip)))
        prompt = count_prompt(clip.sentences[sentence], self._style)
        return Example(tuple(clip.pair(index).images()), prompt, boxes=(), labels=(),
                       words=str(len(clip.meant(sentence, index))))


def count_scores(counter: Counter, seed: int, scenes: int, deadline_s: float) -> dict[str, Any]:
    """Return the share of right numbers on held-out scenes, beside that of always saying 1."""
    asked = [case for number in range(scenes) for case in cases(seed + number, sentences=2)]
    right: dict[str, list[bool]] = {}
    for case in asked:
        said = counter.count(case.pair, case.text, deadline_s)
        right.setdefault(case.condition, []).append(said == len(case.truth))
    return {'all': {'right': mean(sum(right.values(), [])),
                    'always_one': mean(len(case.truth) == 1 for case in asked)},
            'by_condition': {name: {'right': mean(hits)} for name, hits in right.items()}}


def main() -> None:
    """Print a training question, and the figures of an engine that always says 1."""
    question = Count([SimulatedClip(7)], 'brief', count=10, seed=0)[3]
    print(question.prompt.parts[0], question.words)
    engine = ScriptedEngine(['1'], tasks=('count',))
    print(count_scores(Counter(engine), 9_500_000, scenes=1, deadline_s=30.0))


if __name__ == '__main__':
    main()
