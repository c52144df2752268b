"""Structured Output Reward: is the text an answer that a machine can read?"""

from rtrack_ros.training.stages.rewards.completion import Completion, Truth, read_completion

LIST_SHARE = 0.2
WRAPPED = 0.5


def structured_output(said: Completion, truth: Truth) -> float:
    """Return how far the text is an answer of the grammar, in [0, 1].

    ``R = w * (LIST_SHARE + (1 - LIST_SHARE) * v)``, 0 where no JSON list can be found. ``w`` is 1
    if the text is the list and nothing else and ``WRAPPED`` if it stands in other text; ``v`` is
    the share of items that are well formed and different from one another, 1 for an empty list.
    R is 1 exactly where the strict parser accepts the text and no box is said twice.

    Our reconstruction: RTrack (arXiv 2602.22033) names a Structured Output Reward and publishes no
    formula. That a partly right list earns part of the reward gives a group of broken answers a
    direction to go; that a repeated box counts as broken takes the gain out of repetition.
    """
    reading = read_completion(said.text, truth.frame)
    if not reading.found:
        return 0.0
    share = reading.distinct / reading.items if reading.items else 1.0
    return (1.0 if reading.whole else WRAPPED) * (LIST_SHARE + (1 - LIST_SHARE) * share)
