"""What ``training/configs/nano.yaml`` says; a misspelt entry is refused, a missing one named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from rtrack_ros.training.yaml_settings import (
    SettingsError,
    check_kind,
    check_names,
    check_span,
    read_yaml,
)


class _Number(NamedTuple):
    """A number: its kind, its least and greatest value."""

    kind: type
    least: float = 0
    most: float = 10 ** 9


_WHOLE: Final = _Number(int)
_COUNT: Final = _Number(int, 1)
_SHARE: Final = _Number(float, 0, 1)
_RATE: Final = _Number(float, 1e-12, 100)
_CLOSEUPS: Final = {'object_crop': _SHARE, 'locate': _SHARE}
_OPTIONAL: Final = frozenset((
    'initial', 'recipe', 'data.closeups', 'data.composed', 'data.negations', 'dense.decay_steps',
    'dense.head_steps', 'dense.vision_rate', 'dense.composed_share', 'language.decay_steps',
    'language.head_steps', 'language.vision_rate', 'language.composed_share', 'language.closeups',
    'language.closeups.object_crop', 'language.closeups.locate', 'language.dense_images',
    'language.heads', 'language.sentences'))
_KNOWN: Final[Mapping[str, Any]] = {
    'seed': _WHOLE, 'initial': object, 'compile': bool, 'warmup_steps': _COUNT,
    'weight_decay': _Number(float), 'clip_norm': _RATE, 'average': _Number(float, 0, 0.999999),
    'sigma': _Number(float, 1e-3, 1000), 'checkpoint_steps': _COUNT, 'evaluate_steps': _COUNT,
    'evaluate_sentences': _Number(int, 2), 'recipe': object,
    'data': {'seed': _WHOLE, 'shards': _COUNT, 'frames_per_shard': _COUNT,
             'held_out_seed': _WHOLE, 'held_out_frames': _COUNT, 'composed': str,
             'negations': bool,
             'closeups': {'seed': _WHOLE, 'shards': _COUNT, 'episodes_per_shard': _COUNT,
                          'held_out_seed': _WHOLE, 'held_out_episodes': _COUNT}},
    'dense': {'steps': _WHOLE, 'images': _COUNT, 'learning_rate': _RATE, 'decay_steps': _WHOLE,
              'head_steps': _WHOLE, 'vision_rate': _Number(float, 0, 100),
              'composed_share': _SHARE},
    'language': {'steps': _WHOLE, 'images': _COUNT, 'sentences': _COUNT, 'learning_rate': _RATE,
                 'vision_rate': _Number(float, 0, 100), 'decay_steps': _WHOLE,
                 'head_steps': _WHOLE, 'dense_images': _COUNT, 'composed_share': _SHARE,
                 'heads': bool, 'closeups': _CLOSEUPS}}


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
    check_kind(recipe.get('config'), str | None, f'{where}: config')
    check_kind(recipe.get('runs'), Mapping[str, Any] | None, f'{where}: runs')
    for name, entry in (recipe.get('runs') or {}).items():
        if not isinstance(entry, Mapping):
            raise SettingsError(f'{where}: {name} must hold entries, name: value; got {entry!r}')
        check_names(entry, ('config', 'initial', 'change'), f'{where}: {name}')
        check_kind(entry.get('config'), str | None, f'{where}: {name}: config')
        check_kind(entry.get('change'), Mapping[str, Any] | None, f'{where}: {name}: change')


def check_nano(content: Mapping[str, Any], where: str) -> None:
    """Check a configuration; ``where`` is named in the error.

    Raises:
        SettingsError: an entry is unknown, missing, of another kind or out of its range.
    """
    _check(content, _KNOWN, where, '')
    if not isinstance(content.get('initial'), str):
        check_kind(content.get('initial'), tuple[str, ...] | None, f'{where}: initial')
    shares = content['language'].get('closeups', {})
    check_span(sum(shares.values()), (0, 1), f'{where}: the sum of language.closeups')


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
        elif isinstance(kind, _Number):
            check_kind(content[name], kind.kind, f'{where}: {entry}')
            check_span(content[name], (kind.least, kind.most), f'{where}: {entry}')
        else:
            check_kind(content[name], kind, f'{where}: {entry}')
