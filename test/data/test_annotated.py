"""The common sequence of all data set layouts."""

from pathlib import Path

import pytest

from rtrack_ros.data.annotated import AnnotatedFrame, AnnotatedSequence
from rtrack_ros.data.pairs import DataError


def test_thermal_images_of_some_frames_only_are_refused() -> None:
    frames = tuple(AnnotatedFrame(number, Path('a'), thermal, {}, frozenset())
                   for number, thermal in enumerate((Path('b'), None, Path('c'))))
    with pytest.raises(DataError, match='1 of 3 frames'):
        next(iter(AnnotatedSequence('set', 'a', frames).pairs()))
