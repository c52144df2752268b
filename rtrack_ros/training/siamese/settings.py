"""What ``training/configs/siamese.yaml`` says."""

from dataclasses import dataclass, fields
from pathlib import Path

from rtrack_ros.training.yaml_settings import SettingsError, fill_settings, read_yaml


@dataclass(frozen=True)
class SiameseSettings:
    """One training run of the Siamese network; every number changes the result.

    Attributes:
        seed: Of the first weights and of all batches.
        scene_seed: Seed of the first training scene; the others are the seeds that follow.
        scenes: Number of training scenes.
        things_scenes: In how many of them, from the first, things of any shape are strewn besides.
        clips: Folder of real clips, with ``visible/`` and ``infrared/``; '' does without them.
        clip_settings: Which of them are for training: a file like
            ``training/configs/real_clips.yaml``, or the name of one of the package.
        clip_labels: Folder of ``<clip>.gt.txt``, which ``rtrack compose`` writes.
        clip_share: Share of the pairs of a batch that come from the clips.
        held_out_seed: Seed of the first held-out scene; the others follow.
        held_out_scenes: Number of held-out scenes.
        held_out_pairs: Number of their pairs that are scored.
        steps: Optimisation steps.
        batch: Pairs of one step.
        learning_rate: Largest rate of AdamW.
        warmup_steps: Steps over which the rate rises to it.
        decay_share: Share of the steps, at the end, over which it falls to nearly 0.
        weight_decay: Of AdamW.
        clip_norm: Norm to which gradients are cut.
        presence_weight: Weight of the loss of presence beside that of the place.
        evaluate_steps: Steps between two held-out evaluations, each with a checkpoint.
    """

    seed: int
    scene_seed: int
    scenes: int
    things_scenes: int
    clips: str
    clip_settings: str
    clip_labels: str
    clip_share: float
    held_out_seed: int
    held_out_scenes: int
    held_out_pairs: int
    steps: int
    batch: int
    learning_rate: float
    warmup_steps: int
    decay_share: float
    weight_decay: float
    clip_norm: float
    presence_weight: float
    evaluate_steps: int

    def __post_init__(self) -> None:
        training = range(self.scene_seed, self.scene_seed + self.scenes)
        last = self.held_out_seed + self.held_out_scenes - 1
        if self.held_out_seed in training or last in training:
            raise SettingsError('held-out scenes are among those of training; move held_out_seed '
                                'away from scene_seed')


def read_settings(path: Path) -> SiameseSettings:
    """Read a configuration.

    Raises:
        SettingsError: an entry is unknown or missing.
    """
    values = read_yaml(path)
    odd = {item.name for item in fields(SiameseSettings)} ^ values.keys()
    if odd:
        raise SettingsError(f'{path}: the entries {", ".join(sorted(odd))} are unknown or '
                            'missing; start from: rtrack train config siamese')
    settings: SiameseSettings = fill_settings(SiameseSettings, values, str(path))
    return settings
