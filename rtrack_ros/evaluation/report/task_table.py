"""The figures of ``run_tasks`` as columns, and as a table for the terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from rtrack_ros.simulation import CONDITIONS

_Scores = Mapping[str, Any]
_Column = tuple[str, str, Callable[[_Scores], float | None]]

COLUMNS: Final[tuple[_Column, ...]] = (
    ('AO', 'locate', lambda row: row['ao']),
    ('SR.50', 'locate', lambda row: row['sr50']),
    ('tracked', 'locate', lambda row: row['tracked']['ao']),
    ('still', 'locate', lambda row: row['static']['ao']),
    ('presence', 'locate', lambda row: _hundredth(row['presence']['f1'])),
    ('gone', 'locate', lambda row: _rest(_hundredth(row['presence']['absent_fpr']))),
    ('verify', 'verify', lambda row: row['accuracy']),
    ('say No', 'verify', lambda row: row['always_no']),
    ('class', 'describe', lambda row: row['category_right']),
    ('upper', 'describe', lambda row: row['upper_right']),
    ('lower', 'describe', lambda row: row['lower_right']),
    ('motion', 'describe', lambda row: row['motion_right']),
    ('all right', 'describe', lambda row: row['all_right']))
"""Heading, task, and the figure in [0, 1] of a row of scores; None where nothing counted.

'AO' is that of the model's answers alone, 'tracked' that of the tracker which asks it, and
'still' that of the first box left where it is.

'presence' is an F1, which hides false alarms where targets are seldom absent; 'gone' is the share
of frames without the target of which the model said so.
"""


def _hundredth(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _rest(share: float | None) -> float | None:
    return None if share is None else 1 - share


def overall(result: _Scores) -> list[float | None]:
    """Return the value of every column over all conditions, None for a task that was not run."""
    return _values({task: result[task]['all'] for _, task, _ in COLUMNS if task in result})


def under(result: _Scores, condition: str) -> list[float | None]:
    """Return the value of every column under one condition, None where there is none."""
    rows = {task: result.get(task, {}).get('by_condition', {}).get(condition)
            for _, task, _ in COLUMNS}
    return _values({task: row for task, row in rows.items() if row})


def _values(rows: Mapping[str, _Scores]) -> list[float | None]:
    return [figure(rows[task]) if task in rows else None for _, task, figure in COLUMNS]


def tasks_table(result: _Scores) -> Table:
    """Return the result of ``run_tasks``: rows by condition, then by kind of sentence."""
    table = Table(title=f'{result["model"]} ({result["engine"]}, {result["precision"]}), held-out '
                        f'scenes from seed {result["first_seed"]}', title_justify='left',
                  header_style='bold', box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column('', no_wrap=True)
    for name, _, _ in COLUMNS:
        table.add_column(name, justify='right', no_wrap=True)
    _add(table, 'all', overall(result))
    if 'describe' in result:
        _add(table, 'usual words', _values({'describe': result['describe']['usual_words']}))
    table.add_section()
    for condition in CONDITIONS:
        _add(table, condition, under(result, condition))
    table.add_section()
    for kind, row in result.get('verify', {}).get('by_kind', {}).items():
        _add(table, kind, _values({'verify': row}))
    return table


def _add(table: Table, name: str, values: Sequence[float | None]) -> None:
    table.add_row(name, *('' if value is None else f'{value:.3f}' for value in values))
