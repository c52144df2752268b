"""Random batches of rtrack-nano's four tasks: ground, verify and describe, locate."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtrack_ros.language.prompts import (
    describe_prompt,
    ground_prompt,
    locate_prompt,
    verify_prompt,
)
from rtrack_ros.simulation.expressions import NOT, affirmed
from rtrack_ros.training.nano.augmentation import (
    CROP_SHARE,
    augment,
    crop,
    lose_sensor,
    mirror,
    mirror_box,
    mirror_text,
    whole_box,
)
from rtrack_ros.training.nano.batches import Batch, collate
from rtrack_ros.training.nano.sequences import DESCRIBED, Asked, SequenceBuilder
from rtrack_ros.training.shards.closeups import Claim, CloseUp, CloseUpShard, Episode
from rtrack_ros.training.shards.frames import FrameRow, ObjectRow, SentenceRow, Shard

CLAIMS = 3
"""Claims asked about an object crop, beside its description."""
DENIED_SHARE = 0.33
"""Share of denied claims, where some of them are true and some false."""
_NEEDS_COLOUR = ('colour', 'plural', 'nobody', 'conjunction')
_ABSENT_WEIGHT = 0.55
"""Weight of a sentence that means nothing, where one that means an object has 1."""


def draw_ground(builder: SequenceBuilder, shards: Sequence[Shard], rng: np.random.Generator,
                images: int, sentences: int, composed: Sequence[Shard] = (),
                composed_share: float = 0.0) -> Batch:
    """Draw a random augmented batch of sentences about whole frames.

    Args:
        builder: Makes token ids.
        shards: Frames of the simulated world.
        rng: Draws frames, sentences and augmentation.
        images: Image pairs in the batch.
        sentences: Sentences for each pair.
        composed: Frames composed of real clips (``training.composites``); may be none.
        composed_share: Share of pairs drawn from ``composed``, in [0, 1].
    """
    frames, pixels, asked = [], [], []
    for _ in range(images):
        real = len(composed) > 0 and rng.random() < composed_share
        pool = composed if real else shards
        shard = pool[int(rng.integers(len(pool)))]
        index = int(rng.integers(len(shard.rows)))
        frame, rgb, thermal = shard.rows[index], shard.rgb[index], shard.thermal[index]
        if not real and rng.random() < CROP_SHARE:
            frame, rgb, thermal = crop(rng, frame, rgb, thermal)
        if rng.random() < 0.5:
            frame, rgb, thermal = mirror(frame), rgb[:, ::-1], thermal[:, ::-1]
        lost = lose_sensor(rng, frame.condition)
        frames.append(frame)
        pixels.append(augment(rng, rgb, thermal, lost))
        asked.append([ground_question(builder, frame, sentence)
                      for sentence in _choose(rng, frame, sentences, lost)])
    return collate(builder, frames, np.stack(pixels), asked)


def ground_question(builder: SequenceBuilder, frame: FrameRow, sentence: SentenceRow) -> Asked:
    """Return a sentence about a frame; its answer lists boxes from left to right."""
    objects = sorted((frame.objects[i] for i in sentence.objects), key=lambda item: item.box)
    boxes = tuple(map(whole_box, objects))
    return Asked(ground_prompt(sentence.text, 'brief'),
                 builder.boxes(boxes, [item.category for item in objects]), sentence.kind,
                 frame.condition, boxes, tuple(objects))


def _choose(rng: np.random.Generator, frame: FrameRow, count: int, lost: str | None
            ) -> list[SentenceRow]:
    pool = [item for item in frame.sentences
            if lost != 'rgb' or affirmed(item.kind) not in _NEEDS_COLOUR]
    weights = np.array([1.0 if item.objects else _ABSENT_WEIGHT for item in pool])
    picks = rng.choice(len(pool), count, replace=len(pool) < count, p=weights / weights.sum())
    return [pool[int(pick)] for pick in picks]


def draw_object_crops(builder: SequenceBuilder, shards: Sequence[CloseUpShard],
                      rng: np.random.Generator, images: int) -> Batch:
    """Draw a random augmented batch of object crops, each to be verified and described.

    Args:
        builder: Makes token ids.
        shards: Close-ups of the simulated world.
        rng: Draws episodes, claims and augmentation.
        images: Image pairs in the batch, with ``CLAIMS`` + 1 questions each.
    """
    frames, pixels, asked = [], [], []
    for _ in range(images):
        episode, rgb, thermal = _draw_episode(rng, shards)
        view = episode.views[0]
        # Colours are asked about here all the time, so that RGB is never the sensor to go.
        lost = 'thermal' if lose_sensor(rng, view.frame.condition) == 'thermal' else None
        frames.append(view.frame)
        pixels.append(augment(rng, rgb[0], thermal[0], lost))
        asked.append([*(verify_question(builder, view, claim)
                        for claim in _choose_claims(rng, episode.claims)),
                      describe_question(builder, view, episode.description)])
    return collate(builder, frames, np.stack(pixels), asked)


def verify_question(builder: SequenceBuilder, view: CloseUp, claim: Claim) -> Asked:
    """Return the question whether a claim is true of an object crop.

    What the model is to look for inside is what the sentence means, as in grounding: nothing,
    where the claim is false.
    """
    assert view.box is not None
    return Asked(verify_prompt(claim.text, view.box), builder.verdict(claim.true), claim.kind,
                 view.frame.condition, referred=_target(view) if claim.true else ())


def describe_question(builder: SequenceBuilder, view: CloseUp, description: str) -> Asked:
    """Return the question for a description of an object crop."""
    assert view.box is not None
    return Asked(describe_prompt(view.box), builder.words(description), DESCRIBED,
                 view.frame.condition, referred=_target(view))


def _target(view: CloseUp) -> tuple[ObjectRow, ...]:
    return () if view.target is None else (view.frame.objects[view.target],)


def _choose_claims(rng: np.random.Generator, claims: Sequence[Claim]) -> list[Claim]:
    """Return claims of which about half are true, as far as there are any of either kind.

    The same holds of the denied ones among them, which are left out where all have one answer:
    otherwise "not" would tell it.
    """
    denied = [claim for claim in claims if claim.kind.startswith(NOT)]
    plain = [claim for claim in claims if not claim.kind.startswith(NOT)]
    undecided = len({claim.true for claim in denied}) == 2
    chosen = []
    for _ in range(CLAIMS):
        group = denied if undecided and rng.random() < DENIED_SHARE else plain or denied
        wanted = bool(rng.random() < 0.5)
        pool = [claim for claim in group if claim.true == wanted] or group
        chosen.append(pool[int(rng.integers(len(pool)))])
    return chosen


def draw_searches(builder: SequenceBuilder, shards: Sequence[CloseUpShard],
                  rng: np.random.Generator, questions: int) -> Batch:
    """Draw a random augmented batch of targets to be located, a template and a search pair each.

    Args:
        builder: Makes token ids.
        shards: Close-ups of the simulated world.
        rng: Draws episodes and augmentation.
        questions: Questions in the batch, with two image pairs each.
    """
    frames, pixels, asked = [], [], []
    for _ in range(questions):
        episode, rgb, thermal = _draw_episode(rng, shards)
        template, search = episode.views[1:]
        conditions = (template.frame.condition, search.frame.condition)
        dark = next((name for name in conditions if name in ('night', 'smoke')), conditions[0])
        lost = lose_sensor(rng, dark)
        frames += [template.frame, search.frame]
        pixels.append(np.concatenate([augment(rng, rgb[view], thermal[view], lost)
                                      for view in (1, 2)]))
        asked.append([locate_question(builder, template, search)])
    return collate(builder, frames, np.stack(pixels), asked)


def locate_question(builder: SequenceBuilder, template: CloseUp, search: CloseUp) -> Asked:
    """Return the question where the target of a template is in a search window."""
    assert template.box is not None
    found = _target(search)
    boxes = tuple(map(whole_box, found))
    return Asked(locate_prompt(template.box), builder.boxes(boxes, [o.category for o in found]),
                 'locate', search.frame.condition, boxes, found)


def _draw_episode(rng: np.random.Generator, shards: Sequence[CloseUpShard]
                  ) -> tuple[Episode, NDArray[np.uint8], NDArray[np.uint8]]:
    shard = shards[int(rng.integers(len(shards)))]
    index = int(rng.integers(len(shard.episodes)))
    episode, rgb, thermal = shard.episodes[index], shard.rgb[index], shard.thermal[index]
    if rng.random() < 0.5:
        return mirror_episode(episode), rgb[:, :, ::-1], thermal[:, :, ::-1]
    return episode, rgb, thermal


def mirror_episode(episode: Episode) -> Episode:
    """Return the episode of the mirrored pictures."""
    object_crop, template, search = (
        CloseUp(mirror(view.frame), view.box and mirror_box(view.box), view.target)
        for view in episode.views)
    claims = tuple(Claim(mirror_text(claim.text), claim.kind, claim.true)
                   for claim in episode.claims)
    return Episode((object_crop, template, search), claims, mirror_text(episode.description))
