"""The whole recipe of rtrack-nano: runs one after another, each from weights of earlier ones.

One configuration says all: the first run as it stands, and under ``recipe`` the runs that go on
from it and which of them are averaged at the end. Every run is resumable by itself, so the recipe
is: what is done is passed over.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from transformers import Qwen3VLForConditionalGeneration

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.openvino_export import check_environment, export_openvino
from rtrack_ros.files import alone_in, is_whole
from rtrack_ros.provenance import claim
from rtrack_ros.training.configs import find_config
from rtrack_ros.training.models.nano import save_nano
from rtrack_ros.training.models.qwen import load_model
from rtrack_ros.training.models.tokenizer import build_tokenizer
from rtrack_ros.training.nano.settings import check_nano, read_nano
from rtrack_ros.training.nano.trainer import TAUGHT, average_models, train_config
from rtrack_ros.training.yaml_settings import SettingsError, check_kind, check_names

FIRST: Final = 'first'
"""Name of the run that begins with nothing."""
_STEPS: Final = ('steps', 'decay_steps', 'head_steps')
_LEAST: Final = {'frames_per_shard': 12, 'episodes_per_shard': 6, 'held_out_frames': 12,
                 'held_out_episodes': 6}
_COMPILED: Final = 0.2
"""Share of the steps from which compiling the network pays."""


def train_recipe(path: Path, out: Path, workers: int = 1, loaders: int = 0, scale: float = 1.0,
                 say: Callable[[str], None] = print) -> Path:
    """Run what is left of the recipe; return the folder of the model, ``out/model``.

    Args:
        path: YAML as ``training/configs/nano.yaml``; without ``recipe`` it is one run.
        out: Folder of the recipe; a run ``name`` writes to ``out/name``.
        workers: Processes that draw training frames beside the trainer.
        loaders: Processes that draw batches from them.
        scale: Share of all steps and data, above 0: a small one tries the recipe out.
        say: Told what is done.

    Raises:
        SettingsError: the configuration cannot be used.
        ProvenanceError: ``out`` holds another recipe, or a run.
        FolderInUseError: another process trains there.
        TrainingError: a loss is no number any more.
    """
    plan = plan_runs(read_nano(path), str(path), scale)
    with alone_in(out):
        claim(out, {'runs': {name: {'settings': config, 'initial': initial}
                             for name, (config, initial) in plan.runs.items()},
                    'average': plan.average},
              begun=any((out / name).exists() for name in ('checkpoint.pt', 'model', FIRST)))
        return _run(plan, out, workers, loaders, say)


def _run(plan: 'Plan', out: Path, workers: int, loaders: int, say: Callable[[str], None]) -> Path:
    folders: dict[str, Path] = {}
    for number, (name, (config, initial)) in enumerate(plan.runs.items(), start=1):
        folders[name] = out / name / 'model'
        if initial:
            config['initial'] = [str(folders[item]) for item in initial]
        done = is_whole(folders[name])
        say(f'run {name}, {number} of {len(plan.runs)}' + (': is there already' if done else ''))
        train_config(config, out / name, workers, loaders)
    return _average([folders[name] for name in plan.average], out, say)


def is_recipe(path: Path) -> bool:
    """Return whether a configuration says more than one run."""
    return 'recipe' in read_nano(path)


class Plan:
    """Runs of a recipe in order.

    Args:
        runs: Configuration of each by its name, and the runs whose average it begins with.
        average: The runs whose weights are averaged at the end.
    """

    def __init__(self, runs: Mapping[str, tuple[dict[str, Any], tuple[str, ...]]],
                 average: tuple[str, ...]) -> None:
        self.runs, self.average = runs, average


def plan_runs(content: dict[str, Any], where: str, scale: float = 1.0) -> Plan:
    """Return the runs of a configuration.

    Args:
        content: As ``training/configs/nano.yaml``.
        where: Its name, for errors.
        scale: Share of all steps and data.

    Raises:
        SettingsError: a run is unknown, or goes on from one that is not before it.
    """
    first = {name: value for name, value in content.items() if name != 'recipe'}
    recipe = content.get('recipe') or {}
    runs: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {FIRST: (scaled(first, scale), ())}
    for name, entry in _in_order(recipe.get('runs') or {}):
        initial = _names(entry.get('initial'), runs, f'{where}: recipe: {name}: initial')
        base = find_config(entry.get('config') or recipe.get('config') or 'nano_more')
        config = _changed(read_nano(base), entry.get('change') or {})
        if 'composed' in first['data']:
            config['data'].setdefault('composed', first['data']['composed'])
        check_nano(config, f'{where}: recipe: {name}')
        runs[name] = scaled(config, scale), initial
    last = recipe.get('average', [list(runs)[-1]])
    return Plan(runs, _names(last, runs, f'{where}: recipe: average'))


def _in_order(entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield runs so that each comes after those it begins with; the order as written else."""
    left, there = dict(entries), {FIRST}
    while left:
        ready = [name for name, entry in left.items()
                 if there.issuperset(_listed(entry.get('initial')))]
        # Where none is ready, the first says what is wrong.
        name = ready[0] if ready else next(iter(left))
        yield name, left.pop(name)
        there.add(name)


def _listed(named: Any, where: str = 'recipe') -> tuple[str, ...]:
    if isinstance(named, str):
        return (named,)
    check_kind(named, tuple[str, ...] | None, where)
    return tuple(named or ())


def _names(named: Any, known: Mapping[str, Any], where: str) -> tuple[str, ...]:
    names = _listed(named, where)
    if not names:
        raise SettingsError(f'{where} names no run; known are {", ".join(known)}')
    check_names(dict.fromkeys(names), known, where)
    return names


def _changed(config: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with some entries replaced, mappings entry by entry."""
    merged = deepcopy(config)
    merged.pop('initial', None)
    merged.pop('recipe', None)
    for name, value in change.items():
        inner = merged.get(name)
        merged[name] = (_changed(inner, value)
                        if isinstance(value, Mapping) and isinstance(inner, dict) else value)
    return merged


def scaled(config: dict[str, Any], scale: float) -> dict[str, Any]:
    """Return a configuration with a share of its steps and data; the whole one for 1."""
    small = deepcopy(config)
    if scale == 1.0:
        return small
    small['compile'] = small['compile'] and scale >= _COMPILED
    for name, least in (('warmup_steps', 1), ('checkpoint_steps', 5), ('evaluate_steps', 10)):
        small[name] = max(least, round(small[name] * scale))
    small['evaluate_sentences'] = max(4, round(small['evaluate_sentences'] * scale))
    for stage in ('dense', 'language'):
        for name in _STEPS:
            if name in small[stage]:
                small[stage][name] = max(1, round(small[stage][name] * scale))
    for data in (small['data'], small['data'].get('closeups', {})):
        for name, least in _LEAST.items():
            if name in data:
                data[name] = min(data[name], max(least, round(data[name] * scale)))
    return small


def _average(folders: list[Path], out: Path, say: Callable[[str], None]) -> Path:
    """Write the average of some models, and export it where this environment can."""
    target = out / 'model'
    if is_whole(target):
        say(f'{target} is there already')
    else:
        first, *others = (load_model(folder, 'float32', 'eager', train_vision=True)
                          for folder in folders)
        assert isinstance(first, Qwen3VLForConditionalGeneration)
        average_models(first, others)
        save_nano(first, build_tokenizer(), target, TAUGHT)
        say(f'wrote {target}, the average of {len(folders)} runs')
    try:
        check_environment()
    except EngineError:
        say(f'export it with: rtrack compile --model {target}')
        return target
    if not (target / 'openvino').is_dir():
        say(f'wrote {export_openvino(target)}')
    return target
