"""The task locate (R1-Track, arXiv 2506.21980): where is this target now, on both spectra?"""

from dataclasses import dataclass, replace

from rtrack_ros.engines.base import Engine
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import FramePair, Region
from rtrack_ros.language.answers import Box, Grounding
from rtrack_ros.language.closeup import SEARCH_FACTOR, close_up, window_around, within
from rtrack_ros.language.coordinates import largest_coordinate
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.prompts import locate_prompt
from rtrack_ros.language.task_client import TOKENS_PER_BOX, TaskClient


@dataclass(frozen=True, eq=False)
class Template:
    """A target as it looked when its place was last certain.

    Attributes:
        view: The window around it, with copied images: it outlives its frame.
        box: x1, y1, x2, y2 of the target in pixels of the window.
    """

    view: FramePair
    box: Box


class Locator:
    """Asks an engine to find a target again.

    As many threads may use it at once as the engine allows.

    Args:
        engine: The engine that answers.

    Raises:
        TaskError: the engine's model was not trained to locate.
        ProtocolError: the engine's model names an unknown coordinate protocol.
        PromptError: the engine's model names an unknown prompt style.
    """

    def __init__(self, engine: Engine) -> None:
        self._client = TaskClient(engine, 'locate')
        facts = self._client.capabilities
        self._size = facts.image_size
        self._grammar = answer_grammar(
            1, facts.labels or None, largest_coordinate(facts.bbox_protocol, facts.image_size))

    def template(self, pair: FramePair, box: Box) -> Template:
        """Return a target to look for.

        Args:
            pair: A whole frame pair.
            box: The target, x1, y1, x2, y2 in pixels of its RGB image.
        """
        view = close_up(pair, box, SEARCH_FACTOR, self._size)
        assert view.region is not None
        heat = None if view.thermal is None else view.thermal.copy()
        return Template(replace(view, rgb=view.rgb.copy(), thermal=heat),
                        within(box, view.region))

    def window(self, pair: FramePair, believed_box: Box) -> Region:
        """Return the part of a whole pair, in pixels of its RGB image, that is searched."""
        return window_around(believed_box, SEARCH_FACTOR, (pair.width, pair.height), self._size)

    def locate(self, template: Template, pair: FramePair, believed_box: Box,
               deadline_s: float | None = None,
               cancellation: Cancellation | None = None) -> Grounding | None:
        """Return where the target is in a pair, in pixels of its RGB image; None if not in view.

        Args:
            template: The target.
            pair: A whole frame pair, later or earlier.
            believed_box: Where it is expected; the window around this is searched, and what lies
                outside is not seen.
            deadline_s: Seconds after which the answer is of no use; None waits.
            cancellation: Takes the question back.

        Raises:
            CancelledError: the question was taken back.
            EngineError: no text could be produced.
            AnswerError: the text is not an answer, or was cut off.
        """
        view = close_up(pair, believed_box, SEARCH_FACTOR, self._size)
        prompt = locate_prompt(self._client.written(template.box, template.view),
                               self._client.capabilities.prompt)
        reply = self._client.ask([template.view, view], prompt, self._grammar, TOKENS_PER_BOX,
                                deadline_s, cancellation=cancellation)
        found = self._client.groundings(reply.text, view)
        return found[0] if found else None
