"""Files and folders are whole or not there, whatever happens while they are written."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rtrack_ros.files import (
    FolderInUseError,
    alone_in,
    disk_is_full,
    is_whole,
    seal,
    whole_file,
    whole_folder,
    write_whole,
)

KILLED = """
import os, signal, sys
from pathlib import Path
from rtrack_ros.files import whole_file, whole_folder
with {kind}(Path(sys.argv[1])) as draft:
    (draft / 'weights' if draft.is_dir() else draft).write_text('half of it')
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize('content', ['text of ünicode', b'\x00\xff'])
def test_a_file_is_written(tmp_path: Path, content) -> None:
    path = tmp_path / 'new' / 'file.txt'
    write_whole(path, content)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    write_whole(path, 'before')
    with pytest.raises(RuntimeError), whole_file(path) as draft:
        draft.write_text('aft')
        raise RuntimeError
    assert path.read_text() == 'before' and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('kind', ['whole_file', 'whole_folder'])
def test_a_kill_leaves_what_was_there(tmp_path: Path, kind: str) -> None:
    target = tmp_path / 'result'
    if kind == 'whole_file':
        write_whole(target, 'before')
    for _ in range(2):  # what the first kill left does not hinder the second run
        run = subprocess.run([sys.executable, '-c', KILLED.format(kind=kind), str(target)],
                             timeout=60)
        assert run.returncode == -9
    assert target.exists() == (kind == 'whole_file')
    with (whole_file if kind == 'whole_file' else whole_folder)(target) as draft:
        (draft / 'weights' if draft.is_dir() else draft).write_text('all')
    assert list(tmp_path.iterdir()) == [target]
    assert (target / 'weights' if target.is_dir() else target).read_text() == 'all'


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / 'file'
    write_whole(path, 'before')
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError) as failed:
            write_whole(path, 'x' * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert disk_is_full(failed.value) and path.read_text() == 'before'


def test_a_link_stays_one_and_a_device_is_written_itself(tmp_path: Path) -> None:
    (tmp_path / 'there').write_text('before')
    (tmp_path / 'link').symlink_to(tmp_path / 'there')
    write_whole(tmp_path / 'link', 'after')
    assert (tmp_path / 'link').is_symlink() and (tmp_path / 'there').read_text() == 'after'
    write_whole('/dev/null', 'gone')
    assert stat.S_ISCHR(os.stat('/dev/null').st_mode)


def test_a_folder_is_whole_as_long_as_its_files_are(tmp_path: Path) -> None:
    folder = tmp_path / 'model'
    with whole_folder(folder) as draft:
        (draft / 'weights.bin').write_bytes(b'1234')
        (draft / 'facts.json').write_text('{}')
    assert is_whole(folder)
    (folder / 'facts.json').write_text('{"edited": true}')
    (folder / 'export').mkdir()
    assert is_whole(folder)
    (folder / 'weights.bin').write_bytes(b'12')
    assert not is_whole(folder)


@pytest.mark.parametrize('damage', ['whole.json', 'weights.bin'])
def test_a_sealed_folder_that_misses_something_is_not_whole(tmp_path: Path, damage: str) -> None:
    (tmp_path / 'weights.bin').write_bytes(b'1234')
    assert not is_whole(tmp_path)
    seal(tmp_path)
    assert is_whole(tmp_path)
    (tmp_path / damage).unlink()
    assert not is_whole(tmp_path)


HOLDING = """
import os, signal, sys
from pathlib import Path
from rtrack_ros.files import alone_in
with alone_in(Path(sys.argv[1])):
    child = os.fork()
    if not child:
        os.close(1)
        signal.pause()
    print(child, flush=True)
    signal.pause()
"""


def test_two_processes_do_not_write_to_one_folder_at_once(tmp_path: Path) -> None:
    folder = tmp_path / 'new' / 'out'
    holder = subprocess.Popen([sys.executable, '-c', HOLDING, str(folder)], text=True,
                              stdout=subprocess.PIPE)
    assert holder.stdout is not None
    orphan = int(holder.stdout.readline())
    try:
        with pytest.raises(FolderInUseError, match='another process.*another --out'), \
                alone_in(folder):
            pass
        holder.kill()
        holder.wait()
        for _ in range(2):  # a process that was killed holds nothing, nor do those it began
            with alone_in(folder):
                pass
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_folder_that_nobody_can_write_to_needs_no_lock(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> int:
        raise OSError(errno.EROFS, 'Read-only file system')

    monkeypatch.setattr(os, 'open', closed)
    with alone_in(tmp_path):
        pass


@pytest.mark.parametrize('error, full', [
    (OSError(errno.ENOSPC, 'full'), True), (OSError(errno.EACCES, 'closed'), False),
    (RuntimeError('I/O error: No space left on device (os error 28)'), True),
    (OSError('884736 requested and 503680 written'), True),  # numpy
    (ValueError('something else'), False)])
def test_a_full_disk_is_told_from_other_failures(error, full: bool) -> None:
    assert disk_is_full(error) == full
    try:
        raise ValueError('behind it') from error
    except ValueError as outer:
        assert disk_is_full(outer) == full
