"""Options that several commands have: one name, one meaning, and what a value may be."""

import argparse
from collections import defaultdict
from pathlib import Path

import pytest

from rtrack_ros.commands import CommandError
from rtrack_ros.commands.arguments import (
    SHARED,
    count,
    image_size,
    model,
    names,
    positive,
    read_methods,
)
from rtrack_ros.commands.reference import commands, help_and_default, options

KINDS_OF_OUTPUT = {'DIR', 'FILE'}
"""``--out`` says where the result goes, which is one file for ``rtrack track``."""


def by_name() -> dict[str, dict[str, argparse.Action]]:
    """Return the option of each command, by its name; the stages of training are one command."""
    found: dict[str, dict[str, argparse.Action]] = defaultdict(dict)
    for command, _, parser in commands():
        for action in options(parser):
            for name in action.option_strings:
                found[name]['rtrack train' if 'train' in command else command] = action
    return found


def test_an_option_of_several_commands_takes_the_same_value_in_all_of_them() -> None:
    for name, actions in by_name().items():
        if len(actions) == 1:
            continue
        assert name in SHARED, f'{name} of {sorted(actions)} belongs into arguments.py'
        assert len({action.nargs for action in actions.values()}) == 1, name
        values = {str(action.metavar or action.choices) for action in actions.values()}
        assert len(values) == 1 or (name, values) == ('--out', KINDS_OF_OUTPUT)


def test_every_option_is_explained_and_says_its_default() -> None:
    for name, actions in by_name().items():
        for command, action in actions.items():
            meaning, default = help_and_default(action)
            assert meaning, f'{name} of {command} has no help'
            said = bool(default) or action.required
            assert said or action.default in (None, False, (), [], argparse.SUPPRESS), (
                f'{name} of {command} does not say its default {action.default}')


def test_values_are_read() -> None:
    assert (count('3'), positive('0.5'), image_size('640x480')) == (3, 0.5, (640, 480))
    assert names(' a b, c,,') == ('a b', 'c')


def test_a_model_is_a_folder_or_a_url_as_it_was_written() -> None:
    assert model('http://thor:8000/v1') == 'http://thor:8000/v1'
    assert model('models/nano') == Path('models/nano')


@pytest.mark.parametrize(('read', 'text'), [
    (count, '0'), (positive, '0'), (positive, 'inf'), (positive, 'nan'), (image_size, '640'),
    (image_size, '640x8'), (image_size, '-640x480')])
def test_values_of_no_use_are_refused(read, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        read(text)


def test_all_methods_are_the_known_ones_and_others_are_named() -> None:
    assert {'rtrack_ros', 'Kalman only', 'ByteTrack'} < set(read_methods(('all',)))
    assert read_methods(('blocking model',)) == ('blocking model',)
    every = read_methods(('all',))
    assert read_methods(names(','.join(every))) == every, 'a name that the option cannot say'
    for chosen in (('magic',), ()):
        with pytest.raises(CommandError, match='Kalman only'):
            read_methods(chosen)
