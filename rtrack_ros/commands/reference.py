"""The reference page of the command line, written from the parsers.

``python -m rtrack_ros.commands.reference > docs/cli.md``. It does not use the formatter of
``argparse``, whose output depends on the terminal and on the version of Python.
"""

import argparse
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rtrack_ros.commands.parser import build_parser

HEADING: Final = """# Command line

Written by `python -m rtrack_ros.commands.reference > docs/cli.md`; not for editing.
"""
Command = tuple[str, str, argparse.ArgumentParser]
"""Name as one would write it, what it does in a line, and its parser."""
_DEFAULT: Final = re.compile(r' ?\(default: (.+)\)$')


def page() -> str:
    """Return the page in Markdown: every command with its sub-commands and options."""
    parts = (part for command in commands() for part in _section(*command))
    return HEADING + ''.join(f'\n{part}\n' for part in parts)


def commands() -> Iterator[Command]:
    """Yield ``rtrack`` and all commands and sub-commands, each before those below it."""
    parser = build_parser()
    yield from _with_children(('rtrack', parser.description or '', parser))


def _with_children(command: Command) -> Iterator[Command]:
    yield command
    for child in _children(command):
        yield from _with_children(child)


def _children(command: Command) -> list[Command]:
    # Not ``child.prog``, which argparse wraps to the width of the terminal.
    name, _, parser = command
    return [(f'{name} {choice.dest}', choice.help or '', action.choices[choice.dest])
            for action in parser._actions if isinstance(action, argparse._SubParsersAction)
            for choice in action._choices_actions]


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return what a command takes, without ``--help`` and sub-commands."""
    hidden = (argparse._HelpAction, argparse._SubParsersAction)
    return [action for action in parser._actions if not isinstance(action, hidden)]


def help_and_default(action: argparse.Action) -> tuple[str, str]:
    """Return what an option means, and its default in words: empty where there is none."""
    text = (action.help or '') % vars(action)
    found = _DEFAULT.search(text)
    return (text[:found.start()], found[1]) if found else (text, '')


def _section(name: str, summary: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f'{"#" * (name.count(" ") + 2)} {name}'
    yield parser.description or f'{summary[:1].upper()}{summary[1:]}.'
    own = [action for action in options(parser) if _group(parser, action) is None]
    if own:
        yield _table('option | default | meaning', (_cells(parser, action) for action in own))
    for group in parser._action_groups[2:]:
        yield f'**{group.title}**' + (f': {group.description}' if group.description else '')
        yield _table('option | default | meaning', (
            _cells(parser, action) for action in group._group_actions))
    children = _children((name, summary, parser))
    if children:
        yield _table('command | meaning', ((f'`{child}`', what) for child, what, _ in children))


def _group(parser: argparse.ArgumentParser, action: argparse.Action) -> str | None:
    """Return the title of the group of an option, None for those of argparse itself."""
    return next((group.title for group in parser._action_groups[2:]
                 if action in group._group_actions), None)


def _table(head: str, rows: Iterable[Sequence[str]]) -> str:
    lines = [f'| {head} |', '|---' * (head.count('|') + 1) + '|']
    lines += [f'| {" | ".join(cell.replace("|", chr(92) + "|") for cell in row)} |'
              for row in rows]
    return '\n'.join(lines)


def _cells(parser: argparse.ArgumentParser, action: argparse.Action) -> tuple[str, str, str]:
    meaning, default = help_and_default(action)
    if action.required or not (action.option_strings or action.nargs == '?'):
        default = 'required'
    for group in parser._mutually_exclusive_groups:
        if action in group._group_actions:
            named = ', '.join(f'`{other.option_strings[0]}`' for other in group._group_actions)
            default = ('' if group.required else 'at most ') + f'one of {named}'
    return f'`{_usage(action)}`', default, meaning


def _usage(action: argparse.Action) -> str:
    """Return an option with the name of its value, as one would write it."""
    name = action.option_strings[-1] if action.option_strings else ''
    if action.nargs == 0:
        return name
    value = action.metavar or ('{' + ','.join(map(str, action.choices or ())) + '}')
    if isinstance(value, tuple):
        value = ' '.join(value)
    if action.nargs == '+':
        value = f'{value} [{value} ...]'
    return f'{name} {value}'.strip()


def main() -> None:
    """Print the page."""
    print(page(), end='')


if __name__ == '__main__':
    main()
