import tempfile
from pathlib import Path

import pytest

from rtrack_ros.engines.llamacpp.log import last_words, new_log


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_STATE_HOME', str(tmp_path))
    return tmp_path / 'rtrack_ros'


def test_ten_logs_are_kept_and_nothing_else_is_touched(state):
    state.mkdir()
    for day in range(10, 30):
        (state / f'llamacpp-202601{day}-1.log').touch()
    (state / 'other.log').touch()
    mine = new_log()
    logs = sorted(path.name for path in state.glob('llamacpp-*.log'))
    assert logs == [*(f'llamacpp-202601{day}-1.log' for day in range(21, 30)), mine.name]
    assert (state / 'other.log').exists()


def test_without_a_setting_logs_lie_in_the_home(tmp_path, monkeypatch):
    monkeypatch.delenv('XDG_STATE_HOME', raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert new_log().parent == tmp_path / '.local' / 'state' / 'rtrack_ros'


def test_where_nothing_can_be_written_logs_are_temporary_files(tmp_path, monkeypatch):
    (tmp_path / 'file').touch()
    monkeypatch.setenv('XDG_STATE_HOME', str(tmp_path / 'file'))
    log = new_log()
    assert log.parent == Path(tempfile.gettempdir())
    log.unlink()


def test_the_last_words_are_the_last_lines_that_say_something(tmp_path):
    log = tmp_path / 'log'
    log.write_text('first\n' * 2000 + 'second\n\n  third   line\nfourth\n\n')
    assert last_words(log) == 'second | third line | fourth'


def test_a_log_that_is_gone_says_nothing(tmp_path):
    assert last_words(tmp_path / 'gone') == ''
