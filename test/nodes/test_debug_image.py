import subprocess
import sys

import numpy as np
import pytest

from rtrack_ros.frames import FramePair
from rtrack_ros.intake.thermal_state import ThermalState, ThermalStatus
from rtrack_ros.nodes.debug_image import draw
from rtrack_ros.palette import colour_of
from rtrack_ros.tracking.track import Belief, Track, TrackState

TRACK = Track(3, (10.4, 20.0, 40.0, 50.0), (0.0, 0.0), 0.9, 'person',
              (Belief('default', 0.9, 0.9, TrackState.CONFIRMED, 0),))
WELL = ThermalStatus(ThermalState.PAIRED)


@pytest.mark.parametrize('thermal', [None, np.zeros((60, 80), np.uint8)])
def test_both_halves_show_the_track_and_the_images_stay_clean(thermal) -> None:
    rgb = np.zeros((60, 80, 3), np.uint8)
    picture = draw(FramePair(1, rgb, thermal), [TRACK], ['the people', 'größte Straße'],
                   WELL)
    assert picture.shape == (84, 160, 3) and picture.dtype == np.uint8
    assert picture[24 + 50, 25].any() and picture[24 + 50, 80 + 25].any()
    assert not rgb.any()


def test_a_track_has_the_colour_of_its_id_as_in_the_overlay() -> None:
    picture = draw(FramePair(1, np.zeros((60, 80, 3), np.uint8), None), [TRACK], [], WELL)
    assert tuple(picture[24 + 50, 25]) == colour_of(3)


def test_the_node_starts_without_pillow_and_matplotlib() -> None:
    script = 'import sys; import rtrack_ros.nodes.tracker_node; print(*sys.modules)'
    loaded = subprocess.run([sys.executable, '-P', '-c', script], check=True, capture_output=True,
                            text=True).stdout.split()
    assert 'rtrack_ros.nodes.debug_image' in loaded
    assert not {'PIL', 'matplotlib'} & set(loaded)
