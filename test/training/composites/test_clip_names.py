from pathlib import Path

import pytest

from rtrack_ros.data.pairs import DataError
from rtrack_ros.training.composites.clips import read_settings
from rtrack_ros.training.configs import shipped_config


@pytest.mark.parametrize('name', ['../../stolen', '/tmp/stolen', 'a/b'])
def test_a_clip_cannot_be_named_so_that_its_labels_leave_their_folder(tmp_path: Path,
                                                                      name: str) -> None:
    text = shipped_config('real_clips').read_text()
    known = next(iter(read_settings(shipped_config('real_clips')).train)).name
    path = tmp_path / 'clips.yaml'
    path.write_text(text.replace(f"'{known}'", f"'{name}'").replace(f'"{known}"', f'"{name}"'))
    with pytest.raises(DataError, match='cannot name a file'):
        read_settings(path)
