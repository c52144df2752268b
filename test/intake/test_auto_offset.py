"""``sync.thermal_offset_ms: auto`` in the intake: measured in the images, then used."""

from types import SimpleNamespace

import numpy as np
import pytest

from rtrack_ros.intake.config import AUTO, IntakeConfig, SyncConfig
from rtrack_ros.intake.encodings import ThermalImage
from rtrack_ros.intake.receiving import Intake

MS, FRAME_MS = 1_000_000, 33


def play(offset_ms: int, frames: int, moving: bool = True) -> tuple[Intake, list, list[str]]:
    """Play two cameras whose thermal stamps are off, beside walkers who stop and go."""
    rng, lines, pairs = np.random.default_rng(0), [], []
    now = SimpleNamespace(ms=1000)
    clock = SimpleNamespace(monotonic_ns=lambda: now.ms * MS, time_ns=lambda: now.ms * MS)
    intake = Intake(IntakeConfig(SyncConfig(thermal_offset_ms=AUTO)),
                    SimpleNamespace(warning=lambda kind, text: lines.append(text)), clock)
    warm = rng.integers(0, 40, (72, 96))
    for index in range(frames):
        now.ms += FRAME_MS
        picture = 7400.0 + 4 * warm
        for start, speed, begin in ((5, 0.5, 20), (80, -0.35, 50), (40, 0.3, 85)):
            x = int(start + speed * max(0, index - begin) * moving)
            picture[20:50, max(x, 0):max(x + 10, 0)] += 250
        rgb = np.clip((picture - 7400) / 3 + rng.normal(0, 2, warm.shape), 0, 255)
        picture += rng.normal(0, 2, warm.shape)
        intake.take_thermal((now.ms + offset_ms) * MS, ThermalImage(picture.astype(np.uint16),
                                                                    False))
        intake.take_rgb(now.ms * MS, np.repeat(rgb[:, :, None], 3, axis=2).astype(np.uint8))
        pairs += [received.pair for received in intake.poll()]
    return intake, pairs, lines


@pytest.mark.parametrize('offset_ms', [120, -80])
def test_the_offset_is_measured_and_used(offset_ms: int) -> None:
    intake, pairs, lines = play(offset_ms, 190)
    assert intake.thermal_stamp_offset_ms == pytest.approx(offset_ms, abs=17)
    assert any('were measured to be' in line for line in lines)
    assert pairs[-1].thermal_fresh and abs(pairs[-1].thermal_age_s) < 0.02


@pytest.mark.parametrize('offset_ms', [3_600_000, -86_400_000])
def test_clocks_that_differ_are_known_by_arrival_at_once_and_then_measured(offset_ms: int) -> None:
    intake, pairs, lines = play(offset_ms, 190)
    assert sum(pair.thermal is None for pair in pairs) < 10, 'a third of a second is enough'
    assert intake.thermal_stamp_offset_ms == pytest.approx(offset_ms, abs=17)
    assert any('the clocks of the cameras differ by' in line for line in lines)
    assert pairs[-1].thermal_fresh and abs(pairs[-1].thermal_age_s) < 0.02


def test_where_nothing_moves_clocks_that_differ_are_known_by_arrival_alone() -> None:
    intake, pairs, _ = play(3_600_000, 60, moving=False)
    assert intake.thermal_stamp_offset_ms == 3_600_000 and pairs[-1].thermal is not None


def test_where_nothing_moves_nothing_is_changed_and_that_is_said() -> None:
    intake, _, lines = play(120, 1000, moving=False)
    assert intake.thermal_stamp_offset_ms == 0
    assert any('too little moves' in line for line in lines)


def test_what_is_neither_a_number_nor_auto_is_refused() -> None:
    for text in ('soon', 'nan', ''):
        with pytest.raises(ValueError, match='a finite number of milliseconds, or auto'):
            SyncConfig(thermal_offset_ms=text)
