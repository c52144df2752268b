"""What a configuration of ``training/configs`` says about a stage of learning."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rtrack_ros.engines.base import TASKS
from rtrack_ros.training.stages.clipped_advantage import AdvantageScaling
from rtrack_ros.training.stages.rewards.registry import OF_WORDS, REWARDS, make_reward
from rtrack_ros.training.yaml_settings import (
    SettingsError,
    Span,
    check_kind,
    check_names,
    check_span,
    fill_settings,
    read_yaml,
)

METHODS: Final = ('sft', 'grpo')
DTYPES: Final = ('float32', 'bfloat16', 'float16')
_FOLLOWS: Final = 'it follows from --out and name'
_OURS: Final = 'every stage has it as it must be'
_RESUMES: Final = 'a stage that was stopped could not go on as if it had not been'
_NO_HUB: Final = 'nothing is sent to a hub'
_NOT_FREE: Final[Mapping[str, str]] = {
    'output_dir': _FOLLOWS, 'run_name': _FOLLOWS, 'remove_unused_columns': _OURS,
    'disable_tqdm': _OURS, 'report_to': 'log.jsonl and curves.svg are written',
    'logging_nan_inf_filter': _OURS, 'save_only_model': _RESUMES, 'ignore_data_skip': _RESUMES,
    'resume_from_checkpoint': _RESUMES, 'push_to_hub': _NO_HUB, 'hub_model_id': _NO_HUB}
"""Arguments of TRL that are not free, and why."""
_PLAIN: Final = re.compile(r'\w[\w.-]*')
_MANY: Final = 10 ** 9
_SPANS: Final[Mapping[str, Span]] = {'questions': (1, _MANY), 'absent_share': (0, 1),
                                     'seed': (0, _MANY), 'scenes': (1, _MANY)}
WORDED: Final = ('verify', 'describe')
"""Tasks that are answered in words."""


@dataclass(frozen=True)
class ModelSettings:
    """How the model is loaded and which part of it learns.

    Attributes:
        image_size: (width, height) in pixels of every image; None keeps that of the folder.
        dtype: Weights while training, on a GPU; a CPU trains in float32.
        attention: Attention implementation.
        train_vision: Whether the vision tower learns too.
        lora: Arguments of ``peft.LoraConfig``; None trains all weights.
    """

    image_size: tuple[int, int] | None = None
    dtype: str = 'bfloat16'
    attention: str = 'sdpa'
    train_vision: bool = True
    lora: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ValueError(f'dtype {self.dtype!r} is unknown; choose one of {", ".join(DTYPES)}')
        for side in self.image_size or ():
            check_span(side, (1, 1 << 16), 'image_size')


@dataclass(frozen=True)
class DataSettings:
    """Which questions a stage asks.

    Attributes:
        tasks: Names of tasks, each with an equal share.
        questions: Number of questions in an epoch.
        absent_share: Share of questions whose answer is sought to be empty.
        seed: Seed of the draw and of the first simulated scene.
        scenes: Number of simulated scenes, where the source is the simulation.
        layout: Layout of the folder, where it is one.
    """

    tasks: tuple[str, ...] = ('ground',)
    questions: int = 2000
    absent_share: float = 0.25
    seed: int = 3_000_000
    scenes: int = 200
    layout: str = 'refrt'

    def __post_init__(self) -> None:
        unknown = sorted(set(self.tasks) - set(TASKS))
        if unknown or not self.tasks:
            raise ValueError(f'tasks {", ".join(unknown) or "()"} are unknown; choose among '
                             f'{", ".join(TASKS)}')
        for name, span in _SPANS.items():
            check_span(getattr(self, name), span, name)
        if self.questions < len(self.tasks):
            raise ValueError(f'{self.questions} questions are too few for {len(self.tasks)} tasks')


@dataclass(frozen=True)
class StageSettings:
    """One stage of learning.

    Attributes:
        name: Folder and title of the stage.
        method: 'sft' or 'grpo'; GSPO is the latter with sequence-level ratios.
        model: How the model is loaded.
        data: What is asked.
        rewards: Name, weight and options of each reward; none for 'sft'.
        advantages: How rewards become advantages.
        trainer: Arguments of TRL's ``GRPOConfig`` or ``SFTConfig``.
        early_stop: Arguments of ``EarlyStop``; None runs all steps.
        compute_s: Processor seconds after which the stage ends, see ``ComputeBudget``; None runs
            all steps.
    """

    name: str
    method: str
    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    rewards: tuple[Mapping[str, Any], ...] = ()
    advantages: AdvantageScaling = AdvantageScaling('none')
    trainer: Mapping[str, Any] = field(default_factory=dict)
    early_stop: Mapping[str, Any] | None = None
    compute_s: float | None = None

    def __post_init__(self) -> None:
        if not _PLAIN.fullmatch(self.name):
            raise SettingsError(f'name becomes a folder; use letters, digits, - and _ in '
                                f'place of {self.name!r}')
        if self.method not in METHODS:
            raise SettingsError(f'stage {self.name}: method {self.method!r} is unknown; choose '
                                f'one of {", ".join(METHODS)}')
        for name in sorted(_NOT_FREE.keys() & self.trainer.keys()):
            raise SettingsError(f'stage {self.name}: trainer: leave {name} out; '
                                f'{_NOT_FREE[name]}')
        if (self.method == 'grpo') != bool(self.rewards):
            raise SettingsError(f'stage {self.name}: list rewards for grpo, and none for sft')
        unknown = {str(item.get('name')) for item in self.rewards} - REWARDS.keys()
        if unknown:
            raise SettingsError(f'stage {self.name}: no reward is called '
                                f'{", ".join(sorted(unknown))}; choose among {", ".join(REWARDS)}')
        for item in self.rewards:
            self._check_reward(item)
        if self.early_stop is not None:
            where = f'stage {self.name}: early_stop'
            check_names(self.early_stop, ('metric', 'patience', 'smoothing'), where)
            if not {'metric', 'patience'} <= set(self.early_stop):
                raise SettingsError(f'{where} needs metric and patience')
            for name, value in self.early_stop.items():
                check_kind(value, str if name == 'metric' else int, f'{where}: {name}')
                if name != 'metric':
                    check_span(value, (1, _MANY), f'{where}: {name}')
        if self.compute_s is not None and self.compute_s <= 0:
            raise SettingsError(f'stage {self.name}: compute_s is a time above 0; got '
                                f'{self.compute_s}')

    def _check_reward(self, item: Mapping[str, Any]) -> None:
        where = f'stage {self.name}: the reward {item["name"]}'
        check_names(item, ('name', 'weight', 'options'), where)
        check_kind(item.get('weight', 1.0), float, f'{where}: weight')
        check_kind(item.get('options'), Mapping[str, Any] | None, f'{where}: options')
        try:
            make_reward(item['name'], item.get('options'))
        except ValueError as error:
            raise SettingsError(f'stage {self.name}: {error}') from error

    @property
    def unrewarded(self) -> tuple[str, ...]:
        """Tasks whose answers no reward judges: their questions teach nothing."""
        if self.method != 'grpo':
            return ()
        words = {item['name'] in OF_WORDS for item in self.rewards}
        return tuple(task for task in self.data.tasks if (task in WORDED) not in words)


def read_stages(path: Path) -> list[StageSettings]:
    """Read the stages of a configuration: a mapping, or a list of mappings under ``stages``.

    Raises:
        SettingsError: an entry is unknown or missing.
    """
    content = read_yaml(path, 'configuration of stages')
    entries = content.get('stages', [content])
    if not isinstance(entries, list) or not entries:
        raise SettingsError(f'{path} is no configuration of stages; start from one that '
                            'rtrack train config prints')
    stages = [_stage(entry, path) for entry in entries]
    names = [stage.name for stage in stages]
    for name in set(names):
        if names.count(name) > 1:
            raise SettingsError(f'{path}: {names.count(name)} stages are called {name}, and each '
                                'writes to a folder of its name; give them different ones')
    return stages


def _stage(entry: Mapping[str, Any], path: Path) -> StageSettings:
    if not isinstance(entry, dict):
        raise SettingsError(f'{path}: a stage must hold entries, name: value; got {entry!r}')
    values = dict(entry)
    for key, kind in (('model', ModelSettings), ('data', DataSettings),
                      ('advantages', AdvantageScaling)):
        if key in values:
            values[key] = fill_settings(kind, values[key], f'{path}: {key}')
    values['rewards'] = values.get('rewards') or ()
    stage: StageSettings = fill_settings(StageSettings, values, str(path))
    return stage
