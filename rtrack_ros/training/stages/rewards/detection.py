"""Rewards of many boxes at once: the Comprehensive Detection Reward and a length-penalised one."""

import numpy as np

from rtrack_ros.training.stages.rewards.completion import Completion, Truth, read_completion
from rtrack_ros.training.stages.rewards.matching import best_credits

IOU_THRESHOLDS = np.arange(0.5, 0.96, 0.05)


def comprehensive_detection(said: Completion, truth: Truth, low: float = 0.25, high: float = 0.95
                            ) -> float:
    """Return completeness, precision and accuracy in one number, in [0, 1].

    ``R = 2 * sum_k q(IoU_k) / (N_said + N_truth)`` over the one-to-one matching with the largest
    sum; ``q`` rises linearly from 0 at IoU ``low`` to 1 at ``high``. This is the harmonic mean of
    ``sum q / N_said`` and ``sum q / N_truth``. Broken items count in ``N_said``. Nothing said and
    nothing meant is 1; one of them empty, or no list at all, is 0. A box that meets no unmatched
    true box only adds to the denominator, so that spam lowers the reward.

    Our reconstruction: RTrack (arXiv 2602.22033) names a Comprehensive Detection Reward and
    publishes no formula. Matching and the both-empty rule follow what Vision-R1 and VLM-R1 do.

    Args:
        said: The answer.
        truth: What was meant.
        low: IoU up to which a box earns nothing.
        high: IoU from which it earns all.
    """
    reading = read_completion(said.text, truth.frame)
    total = reading.items + len(truth.boxes)
    if not reading.found:
        return 0.0
    if total == 0:
        return 1.0
    return float(2 * best_credits(reading.boxes, truth.boxes, low, high).sum() / total)


def length_penalised(said: Completion, truth: Truth) -> float:
    """Return mean recall over IoU 0.5 to 0.95, times ``N_truth / N_said`` where that is below 1.

    The factor is the length penalty of VLM-R1's detection reward (``om-ai-lab/VLM-R1``), which
    multiplies COCO's mAP by it. Answers carry no scores to rank by, so that precision enters by
    the factor alone; the rest is recall of the best matching. Both empty is 1, one of them 0.
    In [0, 1].
    """
    reading = read_completion(said.text, truth.frame)
    if not reading.found or bool(reading.items) != bool(len(truth.boxes)):
        return 0.0
    if reading.items == 0:
        return 1.0
    hits = [(best_credits(reading.boxes, truth.boxes, edge - 1e-9, edge) > 0.5).sum()
            for edge in IOU_THRESHOLDS]
    return float(np.mean(hits) / len(truth.boxes) * min(1.0, len(truth.boxes) / reading.items))


def raw_overlap(said: Completion, truth: Truth) -> float:
    """Return matched IoU over ``max(N_said, N_truth)``, in [0, 1]; both empty is 1.

    With one box it is the IoU of the pair, the reward of OmniPT's last stage (arXiv 2511.17053);
    for several boxes the extension is ours.
    """
    reading = read_completion(said.text, truth.frame)
    larger = max(reading.items, len(truth.boxes))
    if not reading.found:
        return 0.0
    if larger == 0:
        return 1.0
    return float(best_credits(reading.boxes, truth.boxes, 0.0, 1.0).sum() / larger)
