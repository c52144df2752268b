"""How far the answers of a model can be trusted: facts about the model, not taste of a user."""

from dataclasses import dataclass

from rtrack_ros.settings import check_settings, setting


@dataclass(frozen=True)
class AnswerAccuracy:
    """What ``rtrack benchmark grounding --write-accuracy`` measures and ``rtrack.json`` keeps.

    The defaults are those of a fair model, for one that was not measured.
    """

    detection_probability: float = setting(
        0.85, 'Probability that an answer contains an object that is there and meant (PD)',
        span=(0.01, 0.99))
    false_alarm_probability: float = setting(
        0.25, 'Probability that an answer contains a box on something that is not meant (PFA)',
        span=(0.01, 0.99))
    centre_noise: float = setting(
        0.05, "Standard deviation of the centre of an answer's box, as a share of the box size",
        span=(0.001, 10.0))
    size_noise: float = setting(
        0.2, "Standard deviation of width and height of an answer's box, as a share of each; "
        'it includes what limbs do from frame to frame', span=(0.001, 10.0))

    def __post_init__(self) -> None:
        """Reject what cannot be.

        Raises:
            ValueError: names the field and its allowed range.
        """
        check_settings(self)

    @property
    def confirming_ratio(self) -> float:
        """Likelihood of an answer with the object if it is there over that if it is not."""
        return self.detection_probability / self.false_alarm_probability

    @property
    def omitting_ratio(self) -> float:
        """Likelihood of an answer without the object if it is there over that if it is not."""
        return (1 - self.detection_probability) / (1 - self.false_alarm_probability)
