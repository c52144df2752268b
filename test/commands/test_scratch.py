"""What a command needs while it runs does not stay behind."""

import pytest

from rtrack_ros.commands.scratch import scratch_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    return tmp_path


def fill(folder):
    (folder / 'scene').mkdir()
    (folder / 'scene' / 'bag').write_text('large')
    (folder / 'node.log').write_text('why')


def test_nothing_stays_after_a_good_end(temporary) -> None:
    with scratch_folder('cost', ('scene',)) as folder:
        assert folder.parent == temporary and folder.name.startswith('rtrack-cost-')
        fill(folder)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize('end', [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_nothing_stays_after_an_interruption(end, temporary) -> None:
    with pytest.raises(end), scratch_folder('cost', ('scene',)) as folder:
        fill(folder)
        raise end
    assert list(temporary.iterdir()) == []


def test_after_a_failure_the_logs_stay_and_the_recordings_go(temporary) -> None:
    with pytest.raises(RuntimeError), scratch_folder('cost', ('scene', 'crowd')) as folder:
        fill(folder)
        raise RuntimeError('see node.log')
    assert [path.name for path in folder.iterdir()] == ['node.log']


def test_what_the_command_moved_away_itself_is_not_missed(temporary) -> None:
    with scratch_folder('cost') as folder:
        folder.rmdir()
    assert list(temporary.iterdir()) == []
