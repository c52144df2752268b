"""The task describe (OmniPT, arXiv 2511.17053): what is this object, on a close view of it?"""

from rtrack_ros.engines.base import Engine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box
from rtrack_ros.language.grammar import MAX_DESCRIPTION_CHARACTERS, description_grammar
from rtrack_ros.language.object_crop import ObjectCrops
from rtrack_ros.language.parser import parse_words
from rtrack_ros.language.prompts import describe_prompt
from rtrack_ros.language.task_client import TaskClient


class Describer:
    """Asks an engine for a sentence about one object.

    As many threads may use it at once as the engine allows.

    Args:
        engine: The engine that answers.

    Raises:
        TaskError: the engine's model was not trained to describe.
        ProtocolError: the engine's model names an unknown coordinate protocol.
        PromptError: the engine's model names an unknown prompt style.
    """

    def __init__(self, engine: Engine) -> None:
        self._client = TaskClient(engine, 'describe')
        self._object_crops = ObjectCrops(self._client)
        self._grammar = description_grammar()

    def describe(self, pair: FramePair, box: Box, deadline_s: float | None = None) -> str:
        """Return a description in lower case, for example 'person in red walking to the left'.

        Args:
            pair: A whole frame pair.
            box: x1, y1, x2, y2 in pixels of its RGB image.
            deadline_s: Seconds after which the answer is of no use; None waits.

        Raises:
            EngineError: no text could be produced.
            AnswerError: the text is not a description, or was cut off.
        """
        view, named = self._object_crops.of(pair, box)
        prompt = describe_prompt(named, self._client.capabilities.prompt)
        # A tokenizer may need a token for each character, and one to end.
        reply = self._client.ask([view], prompt, self._grammar, MAX_DESCRIPTION_CHARACTERS + 1,
                                deadline_s)
        return parse_words(reply.text, self._grammar).strip(' ,')
