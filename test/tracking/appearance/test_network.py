"""A small network takes any number of examples, and its answers stay."""

from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.tracking.appearance import siamese
from rtrack_ros.tracking.appearance.network import load_network

FOLDER = Path(siamese.__file__).parent


def test_an_answer_is_kept_when_the_network_runs_again() -> None:
    read = load_network(FOLDER / siamese.TEMPLATE_NET)
    blank = np.zeros((1, 2, siamese.SIDE, siamese.SIDE), np.float32)
    first = read({'template': blank})
    kept = first.copy()
    read({'template': blank + 1})
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize('count', [1, 3])
def test_any_number_of_examples_is_taken(count: int) -> None:
    read = load_network(FOLDER / siamese.TEMPLATE_NET)
    answer = read({'template': np.zeros((count, 2, 48, 48), np.float32)})
    assert answer.shape == (count, 32, 12, 12)
