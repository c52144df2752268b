"""Why a training cannot go on."""

import math


class TrainingError(RuntimeError):
    """Training cannot go on, or its result cannot be used; the message names the remedy."""


def require_finite(when: str, **figures: float) -> None:
    """Refuse to go on with figures that are no numbers.

    Args:
        when: Stage and step, for the message.
        figures: Loss, norm of the gradient and the like, by name.

    Raises:
        TrainingError: names the first that is not finite.
    """
    for name, value in figures.items():
        if not math.isfinite(value):
            raise TrainingError(f'{when}: {name} is {value}; the weights are of no use any more. '
                                'Lower learning_rate or raise warmup_steps, in another folder; '
                                'the same command goes on from the checkpoint before')
