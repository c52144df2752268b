"""Greedy decoding of held-out answers in batches, and their score."""

from collections import defaultdict

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from transformers import DynamicCache

from rtrack_ros import boxes
from rtrack_ros.training.batches import Batch, SequenceBuilder, collate
from rtrack_ros.training.forward import NanoForward
from rtrack_ros.training.samples import Shard

Answer = list[tuple[int, int, int, int]]
MAX_TOKENS = 84
_IMAGES, _SENTENCES = 16, 2


@torch.no_grad()
def decode(net: NanoForward, builder: SequenceBuilder, batch: Batch) -> list[Answer]:
    """Return the boxes (0-1000) the model answers for each sequence of a batch, greedily."""
    cache = DynamicCache(config=net.model.config.text_config)
    start, count = batch.answer_start, batch.ids.shape[0]
    with torch.autocast('cpu', torch.bfloat16):
        hidden, _ = net.read(net.see(batch.images), batch, start, cache)
        token = net.model.lm_head(hidden[:, -1:]).argmax(-1)
        said, done = [token], torch.zeros(count, dtype=torch.bool)
        mask, place = batch.mask[:, :start], batch.positions[:, :, start - 1:start]
        for _ in range(MAX_TOKENS):
            done |= token[:, 0] == builder.stop
            if bool(done.all()):
                break
            mask, place = torch.cat([mask, torch.ones(count, 1, dtype=mask.dtype)], 1), place + 1
            output = net.model.model.language_model(
                inputs_embeds=net.model.get_input_embeddings()(token), attention_mask=mask,
                position_ids=place, past_key_values=cache, use_cache=True)
            net.forget()
            token = net.model.lm_head(output.last_hidden_state).argmax(-1)
            said.append(token)
    return [_boxes(builder, row) for row in torch.cat(said, 1).tolist()]


def _boxes(builder: SequenceBuilder, ids: list[int]) -> Answer:
    """Return the whole boxes among the numbers of an answer; inverted ones are dropped."""
    value = {token: number for number, token in enumerate(builder.numbers)}
    end = ids.index(builder.stop) if builder.stop in ids else len(ids)
    numbers = [value[token] for token in ids[:end] if token in value]
    found = [(a, b, c, d) for a, b, c, d in zip(*[iter(numbers)] * 4, strict=False)]
    return [box for box in found if box[0] < box[2] and box[1] < box[3]]


def matches(truth: Answer, said: Answer, threshold: float = 0.5) -> int:
    """Return how many boxes agree one to one at an IoU of at least ``threshold``."""
    if not truth or not said:
        return 0
    overlap = boxes.iou(truth, said)
    rows, columns = linear_sum_assignment(-overlap)
    return int((overlap[rows, columns] >= threshold).sum())


def score_held_out(net: NanoForward, builder: SequenceBuilder, shard: Shard, sentences: int
                   ) -> dict[str, float]:
    """Return pooled F1 at IoU 0.5 over held-out sentences, in all and by condition and kind."""
    rng = np.random.default_rng(5)
    counts: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
    frames = rng.permutation(len(shard.rows))
    net.eval()
    for begin in range(0, sentences // _SENTENCES, _IMAGES):
        picked = frames[begin:begin + _IMAGES]
        rows = [shard.rows[i] for i in picked]
        images = np.stack([np.stack([shard.rgb[i], np.repeat(shard.thermal[i][:, :, None], 3, 2)])
                           for i in picked])
        chosen = [[row.sentences[j] for j in rng.choice(len(row.sentences), _SENTENCES)]
                  for row in rows]
        batch = collate(builder, rows, images, chosen)
        for truth, said, sentence, condition in zip(
                batch.answers, decode(net, builder, batch), batch.sentences, batch.conditions,
                strict=True):
            tally = np.array([matches(truth, said), len(said), len(truth)], dtype=float)
            for key in ('all', condition, f'kind_{sentence.kind}'):
                counts[key] += tally
    net.train()
    return {f'f1_{key}': round(float(2 * tp / max(said + real, 1)), 4)
            for key, (tp, said, real) in sorted(counts.items())}
