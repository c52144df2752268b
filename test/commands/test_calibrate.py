"""``rtrack calibrate`` writes parameters that the node and ``rtrack track`` take."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from rtrack_ros.cli import main
from rtrack_ros.intake.registration import corner_error, onto_grid

SIZE, THERMAL = (320, 240), (160, 120)
MOUNTING = np.array([[1.1, -0.03, -6.0], [0.03, 1.1, -9.0], [0.0, 0.0, 1.0]])
FRAMES = 110


def scene(index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what two cameras see: things of any colour and any warmth, two of them moving."""
    rng = np.random.default_rng(4)
    colour = np.full((*SIZE[::-1], 3), 90, np.uint8)
    warm = np.full(SIZE[::-1], 90, np.uint8)
    for number in range(60):
        x, y = rng.uniform(0, 320), rng.uniform(0, 240)
        shape = (rng.uniform(12, 50), rng.uniform(12, 50)), rng.uniform(0, 90)
        paint = rng.integers(0, 255, 4).tolist()
        if number >= 58:
            x = 20 + 2.2 * max(0, index - 25 * (number - 57)) + rng.uniform(0, 20)
        corners = cv2.boxPoints(((x, y), *shape)).astype(np.int32)
        cv2.fillPoly(colour, [corners], paint[:3])
        cv2.fillPoly(warm, [corners], paint[3])
    return colour, cv2.GaussianBlur(warm, (0, 0), 1.0)


@pytest.fixture(scope='module')
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, noise = tmp_path_factory.mktemp('two'), np.random.default_rng(1)
    paths = folder / 'rgb.mp4', folder / 'ir.mp4'
    writers = [cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 20, size)
               for path, size in zip(paths, (SIZE, THERMAL), strict=True)]
    for index in range(FRAMES):
        colour, warm = scene(index)
        seen = cv2.warpPerspective(warm, np.linalg.inv(onto_grid(THERMAL, SIZE) @ MOUNTING),
                                   THERMAL, borderMode=cv2.BORDER_REFLECT)
        grain = noise.normal(0, 3, (*THERMAL[::-1], 1))
        writers[0].write(colour)
        writers[1].write(np.clip(seen[:, :, None] + grain, 0, 255).astype(np.uint8)
                         .repeat(3, axis=2))
    for writer in writers:
        writer.release()
    return paths


def test_the_parameters_are_written_for_the_node(videos: tuple[Path, Path], tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'cameras.yaml'
    assert main(['calibrate', '--rgb', str(videos[0]), '--thermal', str(videos[1]), '--out',
                 str(out), '--pairs', '4']) == 0
    written = yaml.safe_load(out.read_text())['/**']['ros__parameters']
    found = np.array(written['thermal.homography']).reshape(3, 3)
    assert corner_error(found, onto_grid(THERMAL, SIZE) @ MOUNTING, THERMAL) <= 2.5
    assert abs(float(written['sync.thermal_offset_ms'])) <= 25
    assert isinstance(written['sync.thermal_offset_ms'], str)
    said = capsys.readouterr().out
    assert 'RGB pixels' in said and 'thermal stamps are' in said
    assert cv2.imread(str(tmp_path / 'cameras.png')).shape == (3 * 240, 2 * 320, 3)


def test_without_thermal_the_remedy_is_named(videos: tuple[Path, Path], tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'cameras.yaml'
    assert main(['calibrate', str(videos[0]), '--out', str(out)]) == 2
    assert 'check that both cameras are in the recording' in capsys.readouterr().err
    assert not out.exists()


def test_the_recording_is_not_overwritten(videos: tuple[Path, Path], tmp_path: Path,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['calibrate', str(videos[0]), '--out', str(videos[0])]) == 2
    assert videos[0].stat().st_size > 1000
