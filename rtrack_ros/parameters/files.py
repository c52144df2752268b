"""Writes ``config/tracker.yaml`` and ``docs/parameters.md`` from the schema.

``python -m rtrack_ros.parameters.files`` prints the YAML file, with ``--page`` the document.
"""

import sys
import textwrap
from typing import Any

from rtrack_ros.parameters.schema import SCHEMA, ParameterSpec

HEADING = """\
# Parameters of the tracker node with their defaults.
# Written by: python -m rtrack_ros.parameters.files > config/tracker.yaml
/**:
  ros__parameters:
"""
_USUAL = 'What one usually changes.'
_REST = 'All the rest: leave it alone until docs/tuning.md says otherwise.'
# Keeps a number and its unit on one line; a plain space in what is written.
_TIED = '\u00a0'
_EFFECTS = {'now': '', 'never': 'fixed for the life of the process',
            'activate': 'a change takes effect at the next activate',
            'configure': 'a change takes effect at the next configure'}

PAGE = """\
# Parameters

Written by `python -m rtrack_ros.parameters.files --page > docs/parameters.md`.

Set them in a copy of [config/tracker.yaml](../config/tracker.yaml) (launch argument
`params_file`), or one by one with `ros2 param set /rtrack NAME VALUE`. A value out of its range is
refused, and the answer says why. What to change when: [tuning.md](tuning.md).
"""


def yaml_text() -> str:
    """Return the contents of ``config/tracker.yaml``."""
    lines = [HEADING.rstrip('\n')]
    for advanced, title in ((False, _USUAL), (True, _REST)):
        lines += ['', f'    # ---- {title}']
        for spec in _of(advanced):
            comment = '. '.join(filter(None, (spec.setting.meaning, _bounds(spec),
                                              _effect(spec)))) + '.'
            lines += textwrap.wrap(comment, 99, initial_indent='    # ',
                                   subsequent_indent='    # ')
            lines.append(f'    {spec.name}: {_scalar(spec.default)}')
    return '\n'.join(lines).replace(_TIED, ' ') + '\n'


def page_text() -> str:
    """Return ``docs/parameters.md``: one table of what is usual, one of the rest."""
    lines = [PAGE]
    for advanced, title in ((False, _USUAL), (True, _REST)):
        lines += [f'## {title.rstrip(".")}', '',
                  '| parameter | default | range | meaning |', '|---|---|---|---|']
        for spec in _of(advanced):
            meaning = '. '.join(filter(None, (spec.setting.meaning, _effect(spec))))
            lines.append(f'| `{spec.name}` | `{_scalar(spec.default)}` | {_bounds(spec)} '
                         f'| {meaning} |')
        lines.append('')
    return '\n'.join(lines).replace(_TIED, ' ').rstrip('\n') + '\n'


def _of(advanced: bool) -> list[ParameterSpec]:
    return [spec for spec in SCHEMA if spec.setting.advanced == advanced]


def _bounds(spec: ParameterSpec) -> str:
    if spec.setting.choices:
        return f'One of {", ".join(spec.setting.choices)}'
    if spec.setting.span is None:
        return ''
    low, high = spec.setting.span
    unit = f'{_TIED}{spec.setting.unit}' if spec.setting.unit else ''
    return f'{low:g} to {high:g}{unit}'


def _effect(spec: ParameterSpec) -> str:
    effect = _EFFECTS[spec.when]
    return effect[:1].upper() + effect[1:]


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f'[{", ".join(map(_scalar, value))}]'
    return f"'{value}'" if isinstance(value, str) else str(value)


def main() -> None:
    """Print the YAML file or the page."""
    print(page_text() if '--page' in sys.argv[1:] else yaml_text(), end='')


if __name__ == '__main__':
    main()
