"""Memory and processor time of a process from the outside, and how its memory grows."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

_PROC = Path('/proc')
_MIB = 1 << 20
WARM_UP_SHARE = 0.2
LONGEST_WARM_UP_S = 300.0
_SHORTEST_S = 60.0
"""A trend of less than this would be read into noise."""
_ALIKE_S, _FEWEST = 120.0, 8
"""Memory goes up and down within a minute or two, as engines are loaded anew. Samples so near each
other are alike: of so much time the median counts as one, where there are enough of them."""


@dataclass(frozen=True)
class Usage:
    """What a process uses at one time.

    Attributes:
        time_s: Seconds from the first sample.
        rss_mib: Resident memory, shared libraries included, MiB.
        cpu_s: Processor time of all its threads so far, seconds.
    """

    time_s: float
    rss_mib: float
    cpu_s: float


@dataclass(frozen=True)
class MemoryTrend:
    """How memory goes after the warm-up.

    Attributes:
        warm_up_s: Seconds left out at the start.
        slope: MiB per hour, median over all pairs of samples (Theil, 1950; Sen, 1968), which no
            single step can sway.
        low: Lower end of its 95 % interval. Beyond 16 minutes the medians of two minutes are the
            samples: others, near each other, are alike, and the interval would be too small.
        high: Upper end.
        first_mib: Median of the first tenth after the warm-up.
        last_mib: Median of the last tenth.
        peak_mib: Largest sample, warm-up included.
    """

    warm_up_s: float
    slope: float
    low: float
    high: float
    first_mib: float
    last_mib: float
    peak_mib: float


def usage_of(pid: int, time_s: float) -> Usage:
    """Return what a process uses now; Linux only.

    Raises:
        OSError: there is no such process.
    """
    pages = int((_PROC / str(pid) / 'statm').read_text().split()[1])
    # The name, in parentheses, may hold spaces; times are the 14th and 15th field.
    fields = (_PROC / str(pid) / 'stat').read_text().rpartition(')')[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return Usage(time_s, pages * os.sysconf('SC_PAGE_SIZE') / _MIB,
                 ticks / os.sysconf('SC_CLK_TCK'))


def memory_trend(samples: Sequence[Usage], warm_up_share: float = WARM_UP_SHARE,
                 longest_warm_up_s: float = LONGEST_WARM_UP_S) -> MemoryTrend | None:
    """Return how memory goes, None where less than a minute is left after the warm-up.

    Args:
        samples: In the order of time.
        warm_up_share: Share of the time at the start that is left out.
        longest_warm_up_s: So much of it is left out at most.
    """
    if not samples:
        return None
    warm_up_s = min(warm_up_share * samples[-1].time_s, longest_warm_up_s)
    kept = [sample for sample in samples if sample.time_s >= warm_up_s]
    if len(kept) < 2 or kept[-1].time_s - kept[0].time_s < _SHORTEST_S:
        return None
    memory = np.array([sample.rss_mib for sample in kept])
    hours = np.array([sample.time_s for sample in kept]) / 3600
    slope, _, low, high = theilslopes(*_independent(memory, hours))
    tenth = max(len(kept) // 10, 1)
    return MemoryTrend(warm_up_s, float(slope), float(low), float(high),
                       float(np.median(memory[:tenth])), float(np.median(memory[-tenth:])),
                       max(sample.rss_mib for sample in samples))


def _independent(memory: NDArray[np.float64], hours: NDArray[np.float64]
                 ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return medians of memory and mean times of spans that are not alike, or all samples."""
    span = ((hours - hours[0]) * 3600 // _ALIKE_S).astype(int)
    spans = np.unique(span)
    if len(spans) < _FEWEST:
        return memory, hours
    return (np.array([np.median(memory[span == number]) for number in spans]),
            np.array([hours[span == number].mean() for number in spans]))
