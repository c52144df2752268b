import fcntl
import os
import time
from pathlib import Path

from rtrack_ros.nodes.bags.shared_memory import YOUNG_S, remove_abandoned


def segment(folder: Path, name: str, age_s: float) -> tuple[Path, Path]:
    memory, lock = folder / name, folder / f'{name}_el'
    memory.write_bytes(bytes(1000))
    lock.touch()
    os.utime(lock, (time.time() - age_s, time.time() - age_s))
    return memory, lock


def test_only_what_ended_processes_left_is_removed(tmp_path: Path) -> None:
    left = segment(tmp_path, 'fastrtps_0123456789abcdef', 2 * YOUNG_S)
    alive = segment(tmp_path, 'fastrtps_1111111111111111', 2 * YOUNG_S)
    starting = segment(tmp_path, 'fastdds_2222222222222222', 1.0)
    others = [tmp_path / name for name in ('fastrtps_port7410', 'sem.fastrtps_port7410_mutex',
                                           'fastrtps_xyz_el', 'somebody', 'data_el')]
    for path in others:
        path.touch()
    with alive[1].open('rb+') as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert remove_abandoned(tmp_path) == 1000
    assert not left[0].exists() and not left[1].exists()
    assert all(path.exists() for path in (*alive, *starting, *others))
    assert remove_abandoned(tmp_path / 'nowhere') == 0


def test_a_link_and_what_is_of_another_user_are_left(tmp_path: Path, monkeypatch) -> None:
    precious = tmp_path / 'precious'
    precious.touch()
    link = tmp_path / 'fastrtps_3333333333333333_el'
    link.symlink_to(precious)
    mine = segment(tmp_path, 'fastrtps_4444444444444444', 2 * YOUNG_S)
    monkeypatch.setattr(os, 'getuid', lambda: mine[0].stat().st_uid + 1)
    assert remove_abandoned(tmp_path) == 0
    assert precious.exists() and link.is_symlink() and all(path.exists() for path in mine)
