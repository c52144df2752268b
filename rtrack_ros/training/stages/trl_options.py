"""TRL's arguments as settings of ours: a misspelt or impossible one is named, with its stage."""

import typing
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar

from rtrack_ros.training.yaml_settings import (
    SettingsError,
    Span,
    check_kind,
    check_names,
    check_span,
)

Config = TypeVar('Config')
_MANY: Final = 10 ** 9
_COUNT: Final[Span] = (1, _MANY)
_SPANS: Final[Mapping[str, Span]] = {
    'learning_rate': (0, 100), 'warmup_steps': (0, _MANY), 'max_grad_norm': (0, _MANY),
    'weight_decay': (0, 100), 'max_steps': _COUNT, 'num_train_epochs': (1e-9, _MANY),
    'per_device_train_batch_size': _COUNT, 'gradient_accumulation_steps': _COUNT,
    'logging_steps': (1e-9, _MANY), 'save_steps': (1e-9, _MANY), 'save_total_limit': _COUNT,
    'dataloader_num_workers': (0, 4096), 'max_length': _COUNT, 'seed': (0, _MANY),
    'num_generations': (2, _MANY), 'steps_per_generation': _COUNT, 'num_iterations': _COUNT,
    'max_completion_length': _COUNT, 'temperature': (1e-6, 100), 'top_p': (1e-9, 1),
    'beta': (0, _MANY), 'epsilon': (0, _MANY), 'epsilon_high': (0, _MANY)}
"""Ranges of arguments. TRL takes others too, and fails late or does something else."""


def check_options(kind: type[Any], options: Mapping[str, Any], stage: str) -> None:
    """Check TRL's arguments one by one.

    Args:
        kind: ``SFTConfig`` or ``GRPOConfig``.
        options: Its arguments.
        stage: Name of the stage, for the message.

    Raises:
        SettingsError: an argument is unknown, of another kind or out of its range.
    """
    where = f'stage {stage}: trainer'
    check_names(options, (item.name for item in fields(kind)), where)
    hints = typing.get_type_hints(kind)
    for name, value in options.items():
        check_kind(value, hints[name], f'{where}: {name}')
        if name in _SPANS:
            check_span(value, _SPANS[name], f'{where}: {name}')


def trl_config(kind: type[Config], options: Mapping[str, Any], stage: str) -> Config:
    """Return TRL's configuration of a stage.

    Args:
        kind: ``SFTConfig`` or ``GRPOConfig``.
        options: Its arguments.
        stage: Name of the stage, for the message.

    Raises:
        SettingsError: see ``check_options``, or TRL refuses them.
    """
    check_options(kind, options, stage)
    try:
        return kind(**options)
    except (TypeError, ValueError, ImportError, NotImplementedError, RuntimeError,
            ArithmeticError) as error:
        raise SettingsError(f'stage {stage}: trainer: TRL refuses these settings: {error}'
                            ) from error
