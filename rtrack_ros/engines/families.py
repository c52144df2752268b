"""Families of models: what follows from a model's name or folder, so that nobody writes it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.manifest import EXAMPLE, MANIFEST_NAME, ModelManifest
from rtrack_ros.foreign_text import parse_json, read_foreign

CAMERA: Final = (640, 480)
"""(width, height) in pixels of the camera that is assumed where nobody says another."""
_MOST_PIXELS: Final = 640 * 512
"""Of an image for a general model: some 400 visual tokens each for RGB and thermal."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """What all models of a family have in common.

    Attributes:
        name: 'rtrack-nano', else the ``model_type`` of the family's ``config.json``.
        pattern: Regular expression that finds the family in the name of a model, any case.
        model_types: Every ``model_type`` that its ``config.json`` may have.
        bbox_protocol: How it writes coordinates: 'rel1000' or 'abs_resized'.
        patch_factor: Side of a visual token in pixels. An image whose sides are no multiples of
            it is resized once more before the model, which moves every box.
        prompt: Style of the prompt.
        system: System message that its chat template writes where nobody gives one.
        answer_start: What its chat template writes before an answer without thinking.
        trained_size: (width, height) in pixels of the images it was trained on; None where it
            reads any.
        labels: Words it uses as labels; empty where any word may come.
        tasks: What it was trained for, of ``engines.base.TASKS``.
        refine: Whether its answers gain from a second look, see ``engines.base.Capabilities``.
        least_overlap: IoU from which a box is right in the self-test.
        most_wrong: Answers of the self-test that may be wrong.
        split_sentences: Whether it gains where one that denies or relates is asked as two.
    """

    name: str
    pattern: str
    model_types: tuple[str, ...]
    bbox_protocol: str
    patch_factor: int
    prompt: str = 'full'
    system: str = ''
    answer_start: str = ''
    trained_size: tuple[int, int] | None = None
    labels: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ('ground',)
    refine: bool = False
    least_overlap: float = 0.5
    most_wrong: int = 1
    split_sentences: bool = False

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) in pixels to show where nothing else is said."""
        return self.image_size_for(CAMERA)

    def image_size_for(self, camera: tuple[int, int]) -> tuple[int, int]:
        """Return the (width, height) in pixels to show of a camera's images.

        It is that of the camera, smaller for large ones, in whole visual tokens: so that nothing
        resizes it again.

        Args:
            camera: (width, height) of its images in pixels.
        """
        if self.trained_size is not None:
            return self.trained_size
        shrink = min(1.0, (_MOST_PIXELS / (camera[0] * camera[1])) ** 0.5)
        width, height = (max(1, round(side * shrink / self.patch_factor)) * self.patch_factor
                         for side in camera)
        return width, height

    def check_image_size(self, size: tuple[int, int]) -> None:
        """Refuse a size at which images would be resized once more before the model.

        Raises:
            EngineError: a side is no multiple of a visual token.
        """
        if any(side % self.patch_factor for side in size):
            raise EngineError(f'images of {size[0]} x {size[1]} would be resized once more before '
                              'the model, which moves every box; set image_size to multiples of '
                              f'{self.patch_factor}')

    def manifest(self, model: str) -> ModelManifest:
        """Return what is known of a model of this family by its name."""
        return ModelManifest(model, self.bbox_protocol, self.image_size, self.labels, self.prompt,
                             refine=self.refine, tasks=self.tasks, family=self.name,
                             system=self.system, answer_start=self.answer_start,
                             split_sentences=self.split_sentences)


# The general models ground, answer yes or no and describe; following a target from one pair of
# images to another is nobody's training but ours.
_GENERAL: Final = ('ground', 'verify', 'describe')

FAMILIES: Final = (
    # rtrack-nano has the architecture of Qwen3-VL: its name tells it apart, so it comes first.
    Family(name='rtrack-nano', pattern='rtrack[-_]nano', model_types=('qwen3_vl',),
           bbox_protocol='rel1000', patch_factor=32, prompt='brief', trained_size=(256, 192),
           labels=('person', 'car', 'cyclist'),
           tasks=('ground', 'locate', 'verify', 'describe'), refine=True,
           # Measured: all right, IoU at least 0.80; with one image black 2 of 7 are wrong.
           least_overlap=0.6, split_sentences=True),
    Family(name='qwen2_5_vl', pattern=r'qwen2[._-]5[-_]?vl', model_types=('qwen2_5_vl',),
           bbox_protocol='abs_resized', patch_factor=28, tasks=_GENERAL,
           system='You are a helpful assistant.'),
    Family(name='qwen3_vl', pattern='qwen3[-_]?vl', model_types=('qwen3_vl', 'qwen3_vl_moe'),
           bbox_protocol='rel1000', patch_factor=32, tasks=_GENERAL),
    # Thinking costs seconds; its template closes the thought at once where none is wanted.
    Family(name='qwen3_5', pattern=r'qwen3[._-]5', model_types=('qwen3_5', 'qwen3_5_moe'),
           bbox_protocol='rel1000', patch_factor=32, tasks=_GENERAL,
           answer_start='<think>\n\n</think>\n\n'),
)


def read_manifest(folder: Path) -> ModelManifest:
    """Return what is known of a model folder: the facts of its family, overridden by its own.

    The family is found by ``config.json``; every key that ``rtrack.json`` has goes before. A
    folder without ``config.json``, or of an unknown family, must say everything itself.

    Raises:
        EngineError: what is said of the model does not suffice or is not possible; the message
            lists the known families.
    """
    family = folder_family(folder)
    if family is None:
        return _read_unknown(folder)
    known = family.manifest(folder.resolve().name)
    if not (folder / MANIFEST_NAME).is_file():
        return known
    manifest = ModelManifest.read(folder, known)
    family.check_image_size(manifest.image_size)
    return manifest


def folder_family(folder: Path) -> Family | None:
    """Return the family of a model folder, None where it is of no known one.

    Raises:
        EngineError: ``rtrack.json`` names a family that is not known.
    """
    own = _json(folder / MANIFEST_NAME)
    if own.get('family'):
        return find_family(str(own['family']))
    model_type = str(_json(folder / 'config.json').get('model_type', ''))
    name = str(own.get('name', folder.resolve().name))
    kin = [family for family in FAMILIES if model_type in family.model_types]
    named = [family for family in kin if re.search(family.pattern, name, re.IGNORECASE)]
    # Of several with one architecture, the one whose own it is has no need to be named.
    return next(iter([*named, *reversed(kin)]), None)


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model.

    Attributes:
        manifest: The facts.
        family: Its family; None where its ``rtrack.json`` says everything itself.
    """

    manifest: ModelManifest
    family: Family | None


def find_facts(name: str, names: Sequence[str], family: str = '', folder: Path | None = None,
               image_size: tuple[int, int] | None = None) -> ModelFacts:
    """Return what is known of a model that a file or a server has.

    Its family is the one that is named, else that of the folder, else the one that its names tell.

    Args:
        name: By which it is called.
        names: By which its family may be recognised.
        family: Name of its family; empty where nobody says.
        folder: With an ``rtrack.json`` about it, which goes before its family; None for none.
        image_size: (width, height) in pixels that it is shown; None for what is known.

    Raises:
        EngineError: the family is not known, or the images would be resized once more.
    """
    kin = find_family(family) if family else _told_family(names, folder)
    manifest = kin.manifest(name) if kin is not None else None
    if folder is not None:
        manifest = ModelManifest.read(folder, manifest)
    assert manifest is not None, 'without a family there is a folder'
    manifest = replace(manifest, image_size=image_size or manifest.image_size)
    if kin is not None:
        kin.check_image_size(manifest.image_size)
    return ModelFacts(manifest, kin)


def _told_family(names: Sequence[str], folder: Path | None) -> Family | None:
    told = folder_family(folder) if folder is not None else None
    try:
        return told or recognise_family(*names)
    except EngineError:
        if folder is None:
            raise
        return None


def _read_unknown(folder: Path) -> ModelManifest:
    model_type = _json(folder / 'config.json').get('model_type')
    try:
        return ModelManifest.read(folder)
    except EngineError as error:
        if model_type is None:
            raise
        raise EngineError(f'{folder} is of the family {model_type!r}, and nobody here knows how '
                          f'its models write boxes; give one of {_names()}, or say it in '
                          f'{MANIFEST_NAME} beside its config.json, such as {EXAMPLE}'
                          ) from error


def _json(path: Path) -> Mapping[str, Any]:
    """Return the object in a file; nothing where there is none: whoever needs it says so."""
    try:
        content = parse_json(read_foreign(path))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


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
