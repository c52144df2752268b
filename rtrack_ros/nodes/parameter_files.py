"""Writes ``config/tracker.yaml`` and the README's parameter table from the schema.

``python -m rtrack_ros.nodes.parameter_files`` prints the YAML file, with ``--table`` the table.
"""

import sys
import textwrap
from typing import Any

from rtrack_ros.nodes.parameters import SCHEMA, ParameterSpec

HEADING = """\
# Parameters of the tracker node with their defaults. Written from the schema in
# rtrack_ros/nodes/parameters.py by: python -m rtrack_ros.nodes.parameter_files
/**:
  ros__parameters:
"""


def yaml_text() -> str:
    """Return the contents of ``config/tracker.yaml``."""
    lines = [HEADING.rstrip('\n')]
    group = ''
    for spec in SCHEMA:
        parent, _, leaf = spec.name.rpartition('.')
        if parent != group:
            lines.append(f'    {parent}:')
            group = parent
        indent = ' ' * (6 if parent else 4)
        comment = f'{spec.description}{_bounds(spec)}.'
        lines += textwrap.wrap(comment, 99, initial_indent=f'{indent}# ',
                               subsequent_indent=f'{indent}# ')
        lines.append(f'{indent}{leaf}: {_scalar(spec.default)}')
    return '\n'.join(lines) + '\n'


def table_text() -> str:
    """Return a Markdown table of all parameters."""
    rows = ['| parameter | default | unit | range | meaning |', '|---|---|---|---|---|']
    for spec in SCHEMA:
        allowed = ', '.join(spec.choices) or ('' if spec.span is None else
                                              f'{spec.span[0]:g} to {spec.span[1]:g}')
        rows.append(f'| `{spec.name}` | `{_scalar(spec.default)}` | {spec.unit} | {allowed} | '
                    f'{spec.description}{_effect(spec)} |')
    return '\n'.join(rows) + '\n'


def _bounds(spec: ParameterSpec) -> str:
    unit = f' {spec.unit}' if spec.unit else ''
    if spec.choices:
        bounds = f'; one of {", ".join(spec.choices)}'
    elif spec.span:
        bounds = f'; {spec.span[0]:g} to {spec.span[1]:g}{unit}'
    else:
        bounds = ''
    return bounds + _effect(spec)


def _effect(spec: ParameterSpec) -> str:
    if spec.read_only:
        return '; read-only'
    return '' if spec.when == 'now' else f'; a change takes effect at the next {spec.when}'


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f'[{", ".join(map(_scalar, value))}]'
    return f"'{value}'" if isinstance(value, str) else str(value)


def main() -> None:
    """Print the YAML file or the table."""
    print(table_text() if '--table' in sys.argv[1:] else yaml_text(), end='')


if __name__ == '__main__':
    main()
