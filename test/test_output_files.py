"""Files appear whole, grow safely, and nothing else is touched."""

from pathlib import Path

import pytest

from rtrack_ros import output_files
from rtrack_ros.output_files import (
    OutputError,
    OutputFile,
    check_outputs,
    finished_at_the_end,
    write_text,
)
from rtrack_ros.output_folder import MARKER, OutputFolder

NAMES = ('scene', 'logs', 'tracks.txt')


def test_a_growing_file_is_beside_its_place_and_finished_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / 'a' / 't.txt'
    with pytest.raises(KeyboardInterrupt), OutputFile(path) as file:
        file.write('1\n')
        assert not path.exists()
        assert (path.parent / '.t.part.txt').read_text() == '1\n', 'written at once'
        raise KeyboardInterrupt
    assert path.read_text() == '1\n' and [item.name for item in path.parent.iterdir()] == ['t.txt']


def test_a_full_disk_is_one_line_and_names_the_file() -> None:
    with pytest.raises(OutputError, match='/dev/full cannot be written: No space left'), \
            OutputFile('/dev/full') as file:
        file.write('1\n')


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / 'real.txt').write_text('old')
    (tmp_path / 'link.txt').symlink_to(tmp_path / 'real.txt')
    with OutputFile(tmp_path / 'link.txt') as file:
        file.write('new')
    assert (tmp_path / 'link.txt').is_symlink() and (tmp_path / 'real.txt').read_text() == 'new'


def test_a_failed_write_leaves_what_was_there(tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'report.html'
    path.write_text('old')
    monkeypatch.setattr(Path, 'write_bytes', lambda *_: (_ for _ in ()).throw(OSError(28, 'full')))
    with pytest.raises(OutputError, match='report.html cannot be written: full'):
        write_text(path, 'new')
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]


def test_a_file_of_another_library_takes_its_place_at_the_end(tmp_path: Path) -> None:
    with pytest.raises(ValueError), finished_at_the_end(tmp_path / 'o.mp4') as part:
        assert part.suffix == '.mp4' and part.parent == tmp_path
        part.write_bytes(b'so far')
        raise ValueError
    assert (tmp_path / 'o.mp4').read_bytes() == b'so far'
    with pytest.raises(ValueError), finished_at_the_end(tmp_path / 'none.mp4'):
        raise ValueError
    assert not (tmp_path / 'none.mp4').exists()


def test_outputs_are_checked_before_the_work(tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    images = tmp_path / 'images'
    images.mkdir()
    (images / '1.png').write_bytes(b'1')
    check_outputs({'--out': tmp_path / 'new' / 't.txt', '--overlay': None}, [images, None])
    assert (tmp_path / 'new').is_dir() and not list((tmp_path / 'new').iterdir())
    for outputs, reason in (
            ({'--out': images / '1.png'}, 'would overwrite the input'),
            ({'--out': images / '..' / 'images' / '1.png'}, 'would overwrite the input'),
            ({'--out': tmp_path / 'a', '--json': tmp_path / 'a'}, 'both name'),
            ({'--out': images}, 'is a folder'),
            ({'--out': images / '1.png' / 't.txt'}, 'Not a directory|File exists')):
        with pytest.raises(OutputError, match=reason):
            check_outputs(outputs, [images])
    check_outputs({'--out': images / 'tracks.txt'}, [images])
    monkeypatch.setattr(output_files, 'LEAST_FREE', 1 << 80)
    with pytest.raises(OutputError, match='the disk is full'):
        check_outputs({'--out': tmp_path / 't.txt'})


def fill(folder: Path, text: str = 'ours') -> None:
    with OutputFolder(folder, 'rtrack demo', NAMES):
        (folder / 'scene').mkdir()
        (folder / 'scene' / 'a.mcap').write_text(text)
        (folder / 'tracks.txt').write_text(text)


def test_a_link_into_a_folder_that_is_read_and_a_new_image_in_it_are_refused(
        tmp_path: Path) -> None:
    folder = tmp_path / 'images'
    folder.mkdir()
    (folder / '000001.png').write_bytes(b'image')
    link = tmp_path / 'tracks.txt'
    link.symlink_to(folder / '000001.png')
    for path in (link, folder / 'calibration.png'):
        with pytest.raises(OutputError, match='would overwrite the input .* or become a part'):
            check_outputs({'--out': path}, [folder])
    check_outputs({'--out': folder / 'tracks.txt'}, [folder])
    assert (folder / '000001.png').read_bytes() == b'image'


def test_a_folder_of_ours_is_cleared_and_filled_again(tmp_path: Path) -> None:
    fill(tmp_path / 'out')
    (tmp_path / 'out' / 'notes.txt').write_text('mine')
    fill(tmp_path / 'out', 'again')
    assert (tmp_path / 'out' / 'tracks.txt').read_text() == 'again'
    assert (tmp_path / 'out' / 'notes.txt').read_text() == 'mine'


def test_what_a_killed_run_left_is_ours(tmp_path: Path) -> None:
    OutputFolder(tmp_path, 'rtrack demo', NAMES)
    (tmp_path / 'tracks.txt').write_text('half')
    fill(tmp_path)
    assert (tmp_path / 'tracks.txt').read_text() == 'ours'


@pytest.mark.parametrize('made', ['before', 'among ours', 'instead of ours', 'by another command'])
def test_what_is_not_ours_is_refused_and_nothing_is_touched(tmp_path: Path, made: str) -> None:
    if made == 'by another command':
        with OutputFolder(tmp_path, 'rtrack other', NAMES):
            (tmp_path / 'tracks.txt').write_text('ours')
    elif made != 'before':
        fill(tmp_path)
    mine = tmp_path / ('scene/mine.bag' if made in ('before', 'among ours') else 'tracks.txt')
    mine.parent.mkdir(exist_ok=True)
    if made != 'by another command':
        mine.write_text('precious')
    before = {path: path.read_text() for path in tmp_path.rglob('*') if path.is_file()}
    with pytest.raises(OutputError, match=f'{mine.name}.* was not made by rtrack demo'):
        OutputFolder(tmp_path, 'rtrack demo', NAMES)
    assert {path: path.read_text() for path in tmp_path.rglob('*') if path.is_file()} == before


def test_a_link_is_removed_and_never_what_it_names(tmp_path: Path) -> None:
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'precious').write_text('mine')
    with OutputFolder(tmp_path / 'out', 'rtrack demo', NAMES):
        (tmp_path / 'out' / 'logs').symlink_to(tmp_path / 'mine')
    with OutputFolder(tmp_path / 'out', 'rtrack demo', NAMES):
        assert not (tmp_path / 'out' / 'logs').exists()
    assert (tmp_path / 'mine' / 'precious').read_text() == 'mine'
    assert (tmp_path / 'out' / MARKER).exists()
