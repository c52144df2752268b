"""What rtrack-nano is trained to say, and how much each token of it weighs."""

import torch
from torch import Tensor
from torch.nn import functional

from rtrack_ros.training.nano.batches import Batch
from rtrack_ros.training.nano.forward import NanoForward, in_float32, soft_number_loss
from rtrack_ros.training.nano.sequences import CELLS, IGNORE, SequenceBuilder

FORCED_WEIGHT = 0.1
"""Weight of tokens that the grammar dictates anyway, such as a comma."""
DECISION_WEIGHT = 2.5
"""Weight of tokens that decide whether there is (another) object, or whether a claim is true."""
PROSE_WEIGHT = 1.5
"""Weight of the words of a description."""
LABEL_WEIGHT = 0.5
LOOKING_WEIGHT = 0.3
VISION_WEIGHT = 1.0
"""Weight of the dense vision losses once the language model learns too."""


def dense_loss(net: NanoForward, tokens: Tensor, batch: Batch, sigma: float
               ) -> tuple[Tensor, dict[str, float]]:
    """Return the dense loss of the vision tower over merged tokens (B, 2 P, CELLS, hidden)."""
    pairs = tokens.reshape(-1, 2, *tokens.shape[2:])
    fused = torch.cat([pairs[:, 0], pairs[:, 1]], dim=-1)
    losses = net.vision_head.loss(fused, batch.dense, net.numbers(), sigma)
    weights = {'present': 1.0, 'box': 0.4, 'overlap': 1.0}
    total = torch.stack([weights.get(name, 0.7) * value for name, value in losses.items()]).sum()
    return total, {f'dense_{name}': float(value.detach()) for name, value in losses.items()}


def language_loss(net: NanoForward, builder: SequenceBuilder, batch: Batch, sigma: float,
                  heads: bool = True) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of the whole model on a batch and its parts by name.

    Args:
        net: The network.
        builder: Made the token ids.
        batch: Questions with their answers.
        sigma: Width of the soft target around a coordinate, in thousandths of the image.
        heads: Whether the dense heads learn beside the answers.
    """
    seen = net.see_training(batch.images)
    hidden, inner = net.read(seen, batch)
    answer, report = answer_loss(net, builder, hidden[:, batch.answer_start - 1:-1], batch, sigma)
    looking = net.looking_loss(batch)
    report['looking'] = float(looking.detach())
    total = answer + LOOKING_WEIGHT * looking
    if not heads:
        return total, report
    vision, dense = dense_loss(net, seen.merged, batch, sigma)
    pointing, asked = _pointing_loss(net, inner, batch, sigma)
    return total + pointing + VISION_WEIGHT * vision, dense | asked | report


def _pointing_loss(net: NanoForward, inner: Tensor, batch: Batch, sigma: float
                   ) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of the head that finds what is meant in a layer of the language model."""
    thermal = batch.image_starts[-1]
    asked = net.language_head.loss(inner[:, thermal:thermal + CELLS], batch.referred,
                                   net.numbers(), sigma)
    nothing = torch.zeros((), device=inner.device)
    pointing = (2.0 * asked['present'] + 0.4 * asked.get('box', nothing)
                + asked.get('overlap', nothing))
    return pointing, {f'asked_{name}': float(value.detach()) for name, value in asked.items()}


def answer_loss(net: NanoForward, builder: SequenceBuilder, hidden: Tensor, batch: Batch,
                sigma: float) -> tuple[Tensor, dict[str, float]]:
    """Return weighted cross-entropy of the answer; coordinates get a soft target."""
    kept = batch.targets != IGNORE
    targets = batch.targets[kept]
    logits = in_float32(net.model.lm_head, hidden[kept])
    weights = torch.full(targets.shape, PROSE_WEIGHT, device=targets.device)
    for ids, weight in ((builder.forced, FORCED_WEIGHT), (builder.decisions, DECISION_WEIGHT),
                        (builder.labels, LABEL_WEIGHT)):
        weights[torch.isin(targets, torch.tensor(ids, device=targets.device))] = weight
    place = torch.full((logits.shape[1],), -1, device=targets.device)
    place[net.number_ids] = torch.arange(net.number_ids.shape[0], device=targets.device)
    values = place[targets]
    number = values >= 0
    losses = functional.cross_entropy(logits, targets, reduction='none')
    if number.any():
        spread = soft_number_loss(logits[number][:, net.number_ids], values[number], sigma)
        # The share of the softmax outside the numbers is pressed out by the plain term.
        losses = losses.masked_scatter(number, spread + 0.05 * losses[number])
        weights[number] = 1.0
    decisions = weights == DECISION_WEIGHT
    report = {'number': _mean(losses, number), 'decision': _mean(losses, decisions),
              'prose': _mean(losses, weights == PROSE_WEIGHT)}
    return (losses * weights).sum() / weights.sum(), report


def _mean(losses: Tensor, chosen: Tensor) -> float:
    return float(losses[chosen].mean().detach()) if bool(chosen.any()) else 0.0
