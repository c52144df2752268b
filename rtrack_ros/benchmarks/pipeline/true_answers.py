"""An engine that knows the truth of the images it is shown, half a second late."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rtrack_ros.benchmarks.pipeline.scenes import digest
from rtrack_ros.engines.base import Prompt
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import Image8

DELAY_S: Final = 0.5
"""As of a model of 2B on a Jetson Orin."""


def true_engine(answers: Path) -> ScriptedEngine:
    """Return the engine of a file that ``scenes.crowd_scenes`` wrote; it takes no processor time.

    An image that is not in the file has nobody in it.
    """
    known: dict[str, str] = json.loads(answers.read_text(encoding='utf-8'))

    def script(images: Sequence[Image8], prompt: Prompt) -> str:
        return known.get(digest(images[0]), '[]')
    # A word is a token: the texts hold four for every box and more.
    return ScriptedEngine(script, DELAY_S, tasks=('ground',))
