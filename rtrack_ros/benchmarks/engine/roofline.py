"""What other devices would need, derived: nothing of it was measured by this benchmark.

The figures are those of ``rtrack compile --dry-run``: rates that the vendor measured, taken to our
questions, or bandwidth of memory over the bytes that a token reads. Each says which.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.table import Table

from rtrack_ros.engines.targets.checkpoints import Checkpoint, open_checkpoint
from rtrack_ros.engines.targets.devices import DEVICES, Device
from rtrack_ros.engines.targets.figures import expected_answer, expected_memory

MODELS: Final = ('Qwen/Qwen3-VL-2B-Instruct', 'Qwen/Qwen3-VL-4B-Instruct')
"""Whose figures are derived where nobody names others."""


@dataclass(frozen=True)
class DerivedFigure:
    """What is expected of a model on a device.

    Attributes:
        device: Its name, as ``rtrack compile --target`` has it.
        figures_of: The member of that kind that is meant.
        model: Name of the model.
        engine: What runs it.
        precision: Of the weights.
        memory_gb: GB that it takes; None where nobody knows.
        answer_ms: Milliseconds of an answer, or of what ``covers`` says; None where nobody knows.
        covers: What the milliseconds cover.
        sources: Of memory and time.
    """

    device: str
    figures_of: str
    model: str
    engine: str
    precision: str
    memory_gb: float | None
    answer_ms: float | None
    covers: str
    sources: tuple[str, str]


def derived_figures(models: Sequence[str] = MODELS) -> list[DerivedFigure]:
    """Return what is expected of models on every device with a GPU, by its usual route.

    Raises:
        EngineError: a model is a folder without a readable checkpoint.
    """
    checkpoints = [open_checkpoint(model) for model in models]
    return [_derived(device, checkpoint) for device in DEVICES.values()
            if device.compute_capability for checkpoint in checkpoints]


def _derived(device: Device, checkpoint: Checkpoint) -> DerivedFigure:
    route = device.route(None)
    precision = checkpoint.precision or route.precisions[0]
    memory = expected_memory(device, checkpoint, precision, route.engine)
    answer = expected_answer(device, checkpoint, precision, route.engine)
    return DerivedFigure(device.name, device.figures_of, checkpoint.name, route.engine, precision,
                         memory.value, answer.value, answer.text, (memory.source, answer.source))


def roofline_table(figures: Sequence[DerivedFigure]) -> Table:
    """Return derived figures as a table, one row a device and model."""
    table = Table(title='DERIVED, not measured here: what other devices are expected to need')
    for column in ('device', 'model', 'engine', 'GB', 'an answer'):
        table.add_column(column, justify='right' if column == 'GB' else 'left')
    for one in figures:
        table.add_row(f'{one.device} ({one.figures_of})', one.model,
                      f'{one.engine} {one.precision}',
                      '-' if one.memory_gb is None else f'{one.memory_gb:.1f}', one.covers)
    return table


def source_lines(figures: Sequence[DerivedFigure]) -> list[str]:
    """Return where derived figures come from, each source once."""
    known = dict.fromkeys(source for one in figures for source in one.sources)
    return [f'derived figure, source: {source}' for source in known]


def as_json(figures: Sequence[DerivedFigure]) -> dict[str, Any]:
    """Return derived figures to be written as JSON, marked as what they are."""
    return {'kind': 'derived, not measured', 'figures': [asdict(one) for one in figures]}
