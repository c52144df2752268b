"""TRL's arguments as settings of ours: a misspelt or impossible one is named, with its stage."""

import typing
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from rtrack_ros.training.yaml_settings import SettingsError, check_kind, check_names

Config = TypeVar('Config')


def trl_config(kind: type[Config], options: Mapping[str, Any], stage: str) -> Config:
    """Return TRL's configuration of a stage.

    Args:
        kind: ``SFTConfig`` or ``GRPOConfig``.
        options: Its arguments.
        stage: Name of the stage, for the message.

    Raises:
        SettingsError: an argument is unknown or of another kind, or TRL refuses it.
    """
    known = {item.name: item.type for item in fields(kind)}  # type: ignore[arg-type]
    where = f'stage {stage}: trainer'
    check_names(options, known, where)
    hints = typing.get_type_hints(kind)
    for name, value in options.items():
        check_kind(value, hints[name], f'{where}: {name}')
    try:
        return kind(**options)
    except (TypeError, ValueError, ImportError, NotImplementedError, RuntimeError) as error:
        raise SettingsError(f'{where}: TRL refuses these settings: {error}') from error
