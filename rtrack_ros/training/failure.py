"""Why a training cannot go on."""


class TrainingError(RuntimeError):
    """Training cannot go on, or its result cannot be used; the message names the remedy."""
