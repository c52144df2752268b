"""A name of others leads out of no folder, and a text of others is obeyed by no terminal."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrack_ros import cli
from rtrack_ros.commands.terminal import console, harmless_output
from rtrack_ros.data.boxes_file import read_boxes
from rtrack_ros.data.image_folder import read_image, stored_size
from rtrack_ros.data.layouts import refer_kitti
from rtrack_ros.data.mot import MotError, read_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.video_file import VideoFile
from rtrack_ros.foreign_text import (
    ForeignNameError,
    harmless,
    parse_json,
    parse_yaml,
    plain_name,
    read_foreign,
    shown,
    utf8_path,
)

ESCAPES = 'a\x1b[2Jb\x1b]0;title\x07c\x9b31md\x00\r\u202e\ud800'


@pytest.mark.parametrize('name', ['', '.', '..', '../x', 'a/b', '/etc/passwd', 'a\\b', 'c:x',
                                  '-rf', '.x', 'a\nb', 'a\x1b[2J', 'a\0', '\udcff', 'x' * 201])
def test_what_is_no_plain_name_is_refused_and_shown_harmlessly(name: str) -> None:
    with pytest.raises(ForeignNameError) as refused:
        plain_name(name)
    assert str(refused.value).isprintable() and len(str(refused.value)) < 250


@given(st.text())
def test_a_plain_name_stays_in_its_folder(text: str) -> None:
    try:
        name = plain_name(text)
    except ForeignNameError:
        return
    folder = Path('/some/folder')
    assert Path(os.path.normpath(folder / f'{name}.txt')).parent == folder
    utf8_path(name)


@pytest.mark.parametrize('name', ['0005', 'car_001', 'the person in $5 red', 'Männer (2)', '人'])
def test_names_that_people_use_pass(name: str) -> None:
    assert plain_name(name) == name


@given(st.text())
def test_nothing_of_a_text_is_obeyed(text: str) -> None:
    for char in harmless(text):
        assert char.isprintable() or char in '\n\t'
    assert shown(text).isprintable() and len(shown(text)) <= 83


def test_what_is_shown_is_short() -> None:
    assert shown('a\x1b]0;x\x07b\n\u202e') == 'a\ufffd]0;x\ufffdb\ufffd\ufffd'
    assert len(shown('x' * 1_000_000)) == 83


def test_neither_print_nor_a_table_lets_an_escape_through(
        capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table
    with harmless_output():
        print(ESCAPES)
        print(ESCAPES, file=sys.stderr)
        table = Table('sentence')
        table.add_row(ESCAPES.replace('\ud800', ''))
        console().print(table)
        console().print(ESCAPES.replace('\ud800', ''), markup=False)
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert not {'\x1b', '\x9b', '\x07', '\x00', '\r'} & set(text)
    assert said.out.count('title') == 3


def test_colours_of_our_own_still_reach_a_terminal(monkeypatch: pytest.MonkeyPatch,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv('FORCE_COLOR', '1')
    monkeypatch.setenv('TERM', 'xterm')
    with harmless_output():
        console().print('[bold]ok[/bold]')
    assert '\x1b[1m' in capsys.readouterr().out


def test_a_failure_is_shown_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(['track', '--rgb', '/nowhere/\x1b[2J\udcff.mp4', '--query', 'x', '--out',
                     'x.txt']) == 2
    said = capsys.readouterr().err
    assert 'nowhere' in said and '\x1b' not in said


def test_a_name_that_is_not_utf8_is_refused_before_opencv_sees_it(tmp_path: Path) -> None:
    path = tmp_path / '\udcff.mp4'
    path.write_bytes(b'\0\0\0\x20ftyp')
    with pytest.raises(DataError, match='is not UTF-8'):
        VideoFile(path)
    with pytest.raises(ForeignNameError, match='rename it'):
        utf8_path(path)


def test_a_dollar_sign_in_a_name_loses_no_plot() -> None:
    pytest.importorskip('matplotlib', reason='plots need the eval extra')
    from rtrack_ros.evaluation.report.plot_style import as_svg, label_axes, new_axes
    figure, axes = new_axes(3, 2)
    axes.plot([1, 2], label='costs $5 \\frac')
    axes.legend()
    label_axes(axes, 'run $', '$^$')
    assert '<svg' in as_svg(figure)


@pytest.mark.parametrize('text', ['[' * 100_000, '{"a": 1e999}', '[NaN]', '[-Infinity]', '[',
                                  '9' * 10_000])
def test_json_of_others_is_finite_and_not_too_deep(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)
    assert parse_json('{"a": [1.5, -2]}') == {'a': [1.5, -2]}


LAUGHS = 'a0: &a0 [x,x,x,x,x,x,x,x,x]\n' + ''.join(
    f'a{n}: &a{n} [{",".join([f"*a{n - 1}"] * 9)}]\n' for n in range(1, 9))
MERGES = 'a0: &a0 {x: 1}\n' + ''.join(
    f'a{n}: &a{n} {{<<: [{",".join([f"*a{n - 1}"] * 9)}], k{n}: 1}}\n' for n in range(1, 12))


@pytest.mark.parametrize('text', ['[' * 20_000, '\n'.join(' ' * n + 'a:' for n in range(300)),
                                  LAUGHS, MERGES, 'a: &r {b: *r}', '&r [*r]', 'a: *nothing',
                                  'a: !!python/object/apply:os.system [x]', 'a: ['])
def test_yaml_of_others_is_as_large_as_it_looks(text: str) -> None:
    with pytest.raises(ValueError):
        parse_yaml(text)


def test_references_in_yaml_are_read() -> None:
    assert parse_yaml('a: &m {x: 1}\nb: {<<: *m, y: 2}\nc: *m') == {
        'a': {'x': 1}, 'b': {'x': 1, 'y': 2}, 'c': {'x': 1}}


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='pipes with names are of POSIX')
def test_a_text_of_others_is_a_regular_file_of_a_size(tmp_path: Path) -> None:
    endless, pipe, long, good = (tmp_path / name for name in 'abcd')
    endless.symlink_to('/dev/zero')
    os.mkfifo(pipe)
    long.write_text('x' * 1001)
    good.write_text('x' * 1000)
    for path in (endless, pipe, long, tmp_path):
        with pytest.raises(ValueError):
            read_foreign(path, 1000)
    assert read_foreign(good, 1000) == 'x' * 1000
    with pytest.raises(OSError):
        read_foreign(tmp_path / 'none')


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='pipes with names are of POSIX')
@pytest.mark.parametrize('read', [read_image, stored_size, read_mot, read_boxes,
                                  refer_kitti.read_seqmap])
def test_no_reader_waits_for_a_pipe_or_follows_a_link_to_a_device(tmp_path: Path, read: object
                                                                  ) -> None:
    endless, pipe = tmp_path / 'endless', tmp_path / 'pipe'
    endless.symlink_to('/dev/zero')
    os.mkfifo(pipe)
    for path in (endless, pipe):
        with pytest.raises((DataError, MotError), match='no regular file'):
            read(path)  # type: ignore[operator]
