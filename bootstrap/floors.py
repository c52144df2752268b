"""How many tests of each folder of test/ must pass, so that no folder goes missing unseen.

Each number is about 5 % below what passed when it was written. Whoever removes tests on purpose
lowers it in the same commit; whoever adds many raises it.
"""

from __future__ import annotations

from typing import NamedTuple


class Floor(NamedTuple):
    """Fewest tests that must pass.

    Attributes:
        whole: With torch, as `make test` runs them.
        without_torch: With TORCH=0, which skips what learns.
    """

    whole: int
    without_torch: int


FLOORS = {
    '.': Floor(255, 118),  # the files in test/ itself
    'benchmarks': Floor(173, 137),
    'bootstrap': Floor(63, 63),
    'commands': Floor(173, 87),
    'data': Floor(169, 73),
    'detectors': Floor(22, 22),
    'engines': Floor(685, 425),
    'evaluation': Floor(134, 134),
    'fuzz': Floor(10, 10),
    'intake': Floor(201, 201),
    'language': Floor(270, 223),
    'nodes': Floor(265, 160),
    'parameters': Floor(25, 21),
    'playback': Floor(12, 12),
    'scheduling': Floor(150, 55),
    'simulation': Floor(20, 19),
    'system': Floor(34, 34),
    'tracking': Floor(279, 279),
    'training': Floor(372, 149),
}
