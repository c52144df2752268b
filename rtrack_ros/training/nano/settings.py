"""What ``training/configs/nano.yaml`` says; a misspelt entry is refused, a missing one named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rtrack_ros.training.yaml_settings import (
    SettingsError,
    check_kind,
    check_names,
    read_yaml,
)

_CLOSEUPS: Final = {'object_crop': float, 'locate': float}
_OPTIONAL: Final = frozenset((
    'initial', 'recipe', 'data.closeups', 'data.composed', 'data.negations', 'dense.decay_steps',
    'dense.head_steps',
    'dense.vision_rate', 'dense.composed_share', 'language.decay_steps', 'language.head_steps',
    'language.vision_rate', 'language.composed_share', 'language.closeups',
    'language.closeups.object_crop', 'language.closeups.locate', 'language.dense_images',
    'language.sentences'))
_KNOWN: Final[Mapping[str, Any]] = {
    'seed': int, 'initial': object, 'compile': bool, 'warmup_steps': int, 'weight_decay': float,
    'clip_norm': float, 'average': float, 'sigma': float, 'checkpoint_steps': int,
    'evaluate_steps': int, 'evaluate_sentences': int, 'recipe': object,
    'data': {'seed': int, 'shards': int, 'frames_per_shard': int, 'held_out_seed': int,
             'held_out_frames': int, 'composed': str, 'negations': bool,
             'closeups': {'seed': int, 'shards': int, 'episodes_per_shard': int,
                          'held_out_seed': int, 'held_out_episodes': int}},
    'dense': {'steps': int, 'images': int, 'learning_rate': float, 'decay_steps': int,
              'head_steps': int, 'vision_rate': float, 'composed_share': float},
    'language': {'steps': int, 'images': int, 'sentences': int, 'learning_rate': float,
                 'vision_rate': float, 'decay_steps': int, 'head_steps': int,
                 'dense_images': int, 'composed_share': float, 'closeups': _CLOSEUPS}}


def read_nano(path: Path) -> dict[str, Any]:
    """Read a configuration of ``rtrack train nano``.

    Raises:
        SettingsError: an entry is unknown, missing or of another kind.
    """
    content = read_yaml(path)
    check_nano(content, str(path))
    _check_recipe(content.get('recipe'), f'{path}: recipe')
    return content


def _check_recipe(recipe: Any, where: str) -> None:
    if recipe is None:
        return
    if not isinstance(recipe, Mapping):
        raise SettingsError(f'{where} must hold entries, name: value; got {recipe!r}')
    check_names(recipe, ('config', 'runs', 'average'), where)
    for name, entry in (recipe.get('runs') or {}).items():
        if not isinstance(entry, Mapping):
            raise SettingsError(f'{where}: {name} must hold entries, name: value; got {entry!r}')
        check_names(entry, ('config', 'initial', 'change'), f'{where}: {name}')


def check_nano(content: Mapping[str, Any], where: str) -> None:
    """Check a configuration; ``where`` is named in the error.

    Raises:
        SettingsError: an entry is unknown, missing or of another kind.
    """
    _check(content, _KNOWN, where, '')


def _check(content: Any, known: Mapping[str, Any], where: str, path: str) -> None:
    if not isinstance(content, Mapping):
        raise SettingsError(f'{where}: {path} must hold entries, name: value; got {content!r}')
    check_names(content, known, f'{where}: {path}' if path else where)
    for name, kind in known.items():
        entry = f'{path}.{name}'.strip('.')
        if name not in content:
            if entry not in _OPTIONAL:
                raise SettingsError(f'{where}: the entry {entry} is missing; start from: rtrack '
                                    'train config nano')
        elif isinstance(kind, Mapping):
            _check(content[name], kind, where, entry)
        else:
            check_kind(content[name], kind, f'{where}: {entry}')
