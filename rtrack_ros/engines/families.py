"""Families of models: what follows from a model's name alone, so that nobody has to write it."""

import re
from dataclasses import dataclass
from typing import Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.manifest import ModelManifest


@dataclass(frozen=True)
class Family:
    """What all models of a family have in common.

    Attributes:
        name: 'rtrack-nano', else the ``model_type`` of the family's ``config.json``.
        pattern: Regular expression that finds the family in the name of a model, any case.
        bbox_protocol: How it writes coordinates: 'rel1000' or 'abs_resized'.
        patch_factor: Side of a visual token in pixels. An image whose sides are no multiples of
            it is resized once more before the model, which moves every box.
        prompt: Style of the prompt.
        image_size: (width, height) in pixels to show where nothing else is said.
        labels: Words it uses as labels; empty where any word may come.
        tasks: What it was trained for, of ``engines.base.TASKS``.
        refine: Whether its answers gain from a second look, see ``engines.base.Capabilities``.
    """

    name: str
    pattern: str
    bbox_protocol: str
    patch_factor: int
    prompt: str
    image_size: tuple[int, int]
    labels: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ('ground',)
    refine: bool = False

    def manifest(self, model: str) -> ModelManifest:
        """Return what is known of a model of this family by its name."""
        return ModelManifest(model, self.bbox_protocol, self.image_size, self.labels, self.prompt,
                             refine=self.refine, tasks=self.tasks)


# The general models ground, answer yes or no and describe; following a target from one pair of
# images to another is nobody's training but ours.
_GENERAL: Final = ('ground', 'verify', 'describe')

FAMILIES: Final = (
    Family('rtrack-nano', 'rtrack[-_]nano', 'rel1000', 32, 'brief', (256, 192),
           ('person', 'car', 'cyclist'), ('ground', 'locate', 'verify', 'describe'), True),
    Family('qwen2_5_vl', r'qwen2[._-]5[-_]?vl', 'abs_resized', 28, 'full', (644, 476),
           tasks=_GENERAL),
    Family('qwen3_vl', 'qwen3[-_]?vl', 'rel1000', 32, 'full', (640, 480), tasks=_GENERAL),
)


def find_family(name: str) -> Family:
    """Return the family of this name.

    Raises:
        EngineError: there is none; the message lists those that there are.
    """
    for family in FAMILIES:
        if family.name == name:
            return family
    raise EngineError(f'the family {name!r} is unknown; choose one of {_names()}')


def recognise_family(*names: str) -> Family:
    """Return the family that is first found in the names of a model.

    Args:
        names: As on the hub, of a file or of a folder: only the part after the last '/' counts.

    Raises:
        EngineError: none is found; the message lists those that there are.
    """
    for name in names:
        last = name.rstrip('/').rpartition('/')[2]
        for family in FAMILIES:
            if re.search(family.pattern, last, re.IGNORECASE):
                return family
    raise EngineError(f'the model {names[0]!r} is of no family that is known here, so nobody '
                      f'knows how it writes boxes; set family to one of {_names()}')


def _names() -> str:
    return ', '.join(family.name for family in FAMILIES)
