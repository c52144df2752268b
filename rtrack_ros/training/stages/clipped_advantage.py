"""Clipped Advantage Scaling: how a group of rewards weighs in the policy gradient.

For the rewards r_1 .. r_G of G answers to one prompt, GRPO and GSPO weigh the gradient of answer i
by ``A_i = (r_i - m) / (s + e)`` with the group's mean m and its standard deviation s (n - 1).
Then ``sum A = 0`` and ``sum A^2 = G - 1``, so that ``|A| <= (G - 1) / sqrt(G)``, 2.47 for G = 8.
**That bound does not depend on how far apart the rewards are.** One answer that is better by d
among seven equal ones has ``s = d / sqrt(G)`` and gets A = 2.47 for d = 1 and 2.41 for d = 0.01: a
group that all but ties speaks as loudly as one that separates right from wrong. With continuous
rewards such as IoU near-ties are the common case once a policy has learned its task; their order
is noise of annotation and rounding, and the answers that differ are rare ones, whose score
functions are largest. The importance ratio of GSPO stays within 4e-4 of 1: A is the only amplifier
of a sample.

RTrack (arXiv 2602.22033) introduces Clipped Advantage Scaling 'to suppress gradient explosion' and
its formula is not known to us. Both readings of the name are here, as our reconstruction:

'advantage'
    Clip the scaled advantage: ``A = clip((r - m) / (s + e), -c, c)``. By the bound above this does
    nothing for ``c >= (G - 1) / sqrt(G)``, and a smaller c cuts what is informative as much as
    what is not: at c = 1 the 2.47 and the 2.41 above both become 1.

'scale'
    Clip the scale: ``A = (r - m) * min(1 / s, 1 / s_min) = (r - m) / max(s, s_min)``. Groups with
    ``s >= s_min`` keep GRPO's advantage; below, A falls linearly with the differences and
    ``|A| <= (G - 1) / G * (max r - min r) / s_min``. A gap d of one answer has full weight from
    ``d = s_min * sqrt(G)``: 0.14 for s_min = 0.05 and G = 8. A clip at c may follow. This is the
    default.

A clip breaks ``sum A = 0``: one right answer of eight leaves -0.48 at c = 2, a push down on
everything that was sampled. Keep c near the bound.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

READINGS: Final = ('none', 'advantage', 'scale')
EPSILON: Final = 1e-4
"""Added to the standard deviation where it is not clipped, as TRL does."""


@dataclass(frozen=True)
class AdvantageScaling:
    """How centred rewards become advantages.

    Attributes:
        reading: 'scale' or 'advantage', see the module; 'none' is GRPO's group normalisation.
        s_min: Smallest standard deviation that is divided by, in units of the reward; raising it
            silences groups that differ little. Read by 'scale' only.
        clip: Largest absolute advantage; None does not clip.
    """

    reading: str = 'scale'
    s_min: float = 0.05
    clip: float | None = 2.0

    def __post_init__(self) -> None:
        if self.reading not in READINGS:
            raise ValueError(f'reading {self.reading!r} is unknown; choose one of '
                             f'{", ".join(READINGS)}')
        if self.s_min <= 0 or (self.clip is not None and self.clip <= 0):
            raise ValueError(f's_min {self.s_min} and clip {self.clip} must be above 0')
        if self.reading == 'advantage' and self.clip is None:
            raise ValueError("reading 'advantage' clips the advantage; set clip")

    def __call__(self, centred: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the advantages (N, G) of rewards (N, G) less the mean of their group."""
        values = np.asarray(centred, np.float64)
        spread = group_deviation(values)[:, None]
        if self.reading == 'scale':
            scaled = values / np.maximum(spread, self.s_min)
        else:
            scaled = values / (spread + EPSILON)
        if self.reading != 'none' and self.clip is not None:
            scaled = np.clip(scaled, -self.clip, self.clip)
        return np.asarray(scaled, np.float64)


def group_deviation(centred: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the standard deviation (n - 1), shape (N,), of groups of centred rewards (N, G)."""
    total = (np.asarray(centred, np.float64) ** 2).sum(axis=1)
    return np.asarray(np.sqrt(total / max(centred.shape[1] - 1, 1)), np.float64)
