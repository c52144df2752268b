"""Readers of public data sets, one module each; all return ``data.annotated`` sequences.

A module of this folder is a layout: ``refer_kitti.py`` is ``refer-kitti`` on the command line. It
has ``FACTS`` and ``read(root)``; nothing else in the package names it. Help shows the names, so
that importing this folder imports no reader and nothing heavy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from rtrack_ros.data.annotated import AnnotatedSequence

LAYOUTS: Final = tuple(sorted(module.name.replace('_', '-') for module in iter_modules(__path__)))
"""Names of the layouts: the modules of this folder, with '-' for '_'."""


@dataclass(frozen=True)
class LayoutFacts:
    """What a layout says about itself.

    Attributes:
        dataset: The set that is published in it.
        single_object: Whether a sequence has one target, found again by its first box and scored
            by overlap. Otherwise it has any number of objects, scored by HOTA.
        sentences: Where its sentences come from: 'own' (the set has them), 'some' (only where a
            file was added), 'class words' (made of its classes: true, but they tell no two objects
            of a class apart), or 'none'.
    """

    dataset: str
    single_object: bool
    sentences: Literal['own', 'some', 'class words', 'none']


def layout_facts(name: str) -> LayoutFacts:
    """Return what a layout says about itself.

    Raises:
        DataError: the layout is unknown.
    """
    from rtrack_ros.data.pairs import DataError

    if name not in LAYOUTS:
        raise DataError(f"no layout is called '{name}'; choose from {', '.join(LAYOUTS)}")
    facts: LayoutFacts = import_module(_module(name)).FACTS
    return facts


def layouts_with_sentences() -> Sequence[str]:
    """Return the layouts whose sequences all have a sentence."""
    return [name for name in LAYOUTS if layout_facts(name).sentences in ('own', 'class words')]


def read_layout(name: str, root: Path | str) -> 'list[AnnotatedSequence]':
    """Return the sequences of a data set.

    Args:
        name: One of ``LAYOUTS``.
        root: Its folder.

    Raises:
        DataError: the layout is unknown, or the folder is not in it.
    """
    from rtrack_ros.data.pairs import DataError

    facts = layout_facts(name)
    if not Path(root).is_dir():
        raise DataError(f'there is no folder {root}; name the one that holds {facts.dataset}')
    sequences: list[AnnotatedSequence] = import_module(_module(name)).read(Path(root))
    return sequences


def _module(name: str) -> str:
    return f'{__name__}.{name.replace("-", "_")}'
