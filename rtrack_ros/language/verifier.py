"""The task verify: is the object in this box what a sentence says?"""

from rtrack_ros.engines.base import Engine, Reply
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import FramePair
from rtrack_ros.language.answers import Box
from rtrack_ros.language.grammar import YES, verdict_grammar
from rtrack_ros.language.object_crop import ObjectCrops
from rtrack_ros.language.parser import parse_words
from rtrack_ros.language.prompts import verify_prompt
from rtrack_ros.language.task_client import TaskClient

_TOKENS = 8


class Verifier:
    """Asks an engine for a yes or no about one object.

    As many threads may use it at once as the engine allows.

    Several sentences about the same box cost one encoding where the engine can keep it.

    Args:
        engine: The engine that answers.

    Raises:
        TaskError: the engine's model was not trained to verify.
        ProtocolError: the engine's model names an unknown coordinate protocol.
        PromptError: the engine's model names an unknown prompt style.
    """

    def __init__(self, engine: Engine) -> None:
        self._client = TaskClient(engine, 'verify')
        self._object_crops = ObjectCrops(self._client)
        self._grammar = verdict_grammar()

    def verify(self, pair: FramePair, box: Box, sentence: str, deadline_s: float | None = None,
               cancellation: Cancellation | None = None) -> float:
        """Return the probability that the object in the box is what the sentence says, in [0, 1].

        Args:
            pair: A whole frame pair.
            box: x1, y1, x2, y2 in pixels of its RGB image.
            sentence: The claim; what it says about places in the image does not show in a crop.
            deadline_s: Seconds after which the answer is of no use; None waits.
            cancellation: Takes the question back.

        Raises:
            CancelledError: the question was taken back.
            EngineError: no text could be produced.
            AnswerError: the text is neither yes nor no.
        """
        view, named = self._object_crops.of(pair, box)
        prompt = verify_prompt(sentence, named, self._client.capabilities.prompt)
        reply = self._client.ask([view], prompt, self._grammar, _TOKENS, deadline_s,
                                cancellation=cancellation)
        yes = parse_words(reply.text, self._grammar) == YES
        return _sureness(reply) if yes else 1.0 - _sureness(reply)


def _sureness(reply: Reply) -> float:
    """Return the probability of the word that was written, given that it is one of the two.

    The engines decode greedily and report ``p``, the probability by the model alone, without the
    grammar. The other word has at most ``min(p, 1 - p)``. With ``p`` of a half or more, ``p`` is
    the probability. With less, the model would rather write something else: it is only known that
    the written word leads. An engine that reports nothing is trusted.
    """
    if reply.confidence is None:
        return 1.0
    return max(reply.confidence ** reply.tokens, 0.5)
