"""The smallest engine: it says that there is a person in the middle of every image.

    python examples/own_engine.py

An engine takes images and a prompt and returns a text. The rest is there already: this one is
scheduled, its text is checked, its box is tracked. docs/guides/add_an_engine.md goes on from here.
"""

from collections.abc import Sequence

import numpy as np

from rtrack_ros.engines.base import Capabilities, Engine, Grammar, OnText, Prompt, Reply
from rtrack_ros.engines.cancellation import Cancellation
from rtrack_ros.frames import FramePair, Image8
from rtrack_ros.pipeline import build_pipeline


class MiddleEngine(Engine):
    """Answers every question with one box, in thousandths of the image."""

    def capabilities(self) -> Capabilities:
        """Say how coordinates are written, and which image size the model wants."""
        return Capabilities('middle', 'no model', device='none', precision='none',
                            bbox_protocol='rel1000', image_size=(640, 480), constrained=False)

    def infer(self, images: Sequence[Image8], prompt: Prompt, grammar: Grammar | None,
              max_tokens: int, deadline_s: float | None = None,
              on_text: OnText | None = None,
              cancellation: Cancellation | None = None) -> Reply:
        """Answer one prompt."""
        return Reply('[{"bbox_2d": [400, 300, 600, 700], "label": "person"}]', tokens=1,
                     finish='stop', timings={'total': 0.0})

    def close(self) -> None:
        """Release nothing."""


def main() -> None:
    """Track a still picture of noise for a third of a second and print the box."""
    pipeline = build_pipeline(MiddleEngine(), live=False)
    pipeline.set_query('the person in the middle')
    rgb = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    for number in range(10):
        pair = FramePair(number * 33_333_333, rgb, thermal=rgb[:, :, 0].copy())
        for track in pipeline.push(pair):
            print(number, track.id, [round(edge) for edge in track.box], f'{track.score:.2f}')
    pipeline.close()


if __name__ == '__main__':
    main()
