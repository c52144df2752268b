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
    '.': Floor(143, 118),  # the files in test/ itself
    'benchmarks': Floor(150, 137),
    'bootstrap': Floor(40, 40),
    'commands': Floor(148, 87),
    'data': Floor(80, 73),
    'engines': Floor(670, 425),
    'evaluation': Floor(116, 116),
    'intake': Floor(30, 30),
    'language': Floor(230, 223),
    'nodes': Floor(182, 160),
    'parameters': Floor(26, 21),
    'playback': Floor(13, 13),
    'scheduling': Floor(74, 55),
    'simulation': Floor(20, 19),
    'system': Floor(10, 10),
    'tracking': Floor(141, 141),
    'training': Floor(260, 149),
}
