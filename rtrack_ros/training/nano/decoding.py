"""Greedy decoding of held-out answers in batches, and their score, for each task."""

from collections import defaultdict

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from transformers import DynamicCache

from rtrack_ros import boxes
from rtrack_ros.training.nano.batches import Batch, collate
from rtrack_ros.training.nano.draw_batch import draw_object_crops, draw_searches, ground_question
from rtrack_ros.training.nano.forward import NanoForward, in_float32
from rtrack_ros.training.nano.sequences import IGNORE, SequenceBuilder
from rtrack_ros.training.precision import training_precision
from rtrack_ros.training.shards.closeups import CloseUpShard
from rtrack_ros.training.shards.frames import Shard

Answer = list[tuple[int, int, int, int]]
MAX_TOKENS = 84
_IMAGES, _SENTENCES = 16, 2


@torch.no_grad()
def decode(net: NanoForward, builder: SequenceBuilder, batch: Batch) -> list[list[int]]:
    """Return the token ids the model answers for each sequence of a batch, greedily.

    The stop token is not among them.
    """
    cache = DynamicCache(config=net.model.config.text_config)
    device = net.number_ids.device
    batch = batch.to(device)
    start, count = batch.answer_start, batch.ids.shape[0]
    with training_precision(device):
        hidden, _ = net.read(net.see(batch.images), batch, start, cache)
        token = in_float32(net.model.lm_head, hidden[:, -1:]).argmax(-1)
        said, done = [token], torch.zeros(count, dtype=torch.bool, device=device)
        mask, place = batch.mask[:, :start], batch.positions[:, :, start - 1:start]
        for _ in range(MAX_TOKENS):
            done |= token[:, 0] == builder.stop
            if bool(done.all()):
                break
            mask, place = torch.cat([mask, mask.new_ones(count, 1)], 1), place + 1
            output = net.model.model.language_model(
                inputs_embeds=net.model.get_input_embeddings()(token), attention_mask=mask,
                position_ids=place, past_key_values=cache, use_cache=True)
            net.forget()
            token = in_float32(net.model.lm_head, output.last_hidden_state).argmax(-1)
            said.append(token)
    return [_until_stop(builder, row) for row in torch.cat(said, 1).tolist()]


def _until_stop(builder: SequenceBuilder, ids: list[int]) -> list[int]:
    return ids[:ids.index(builder.stop)] if builder.stop in ids else ids


def boxes_in(builder: SequenceBuilder, ids: list[int]) -> Answer:
    """Return the boxes (0-1000) among the numbers of an answer; inverted ones are dropped."""
    value = {token: number for number, token in enumerate(builder.numbers)}
    numbers = [value[token] for token in ids if token in value]
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
        asked = [[ground_question(builder, row, row.sentences[j])
                  for j in rng.choice(len(row.sentences), _SENTENCES)] for row in rows]
        batch = collate(builder, rows, images, asked)
        for question, said in zip(batch.questions, decode(net, builder, batch), strict=True):
            answer, truth = boxes_in(builder, said), list(question.boxes)
            tally = np.array([matches(truth, answer), len(answer), len(truth)], dtype=float)
            for key in ('all', question.condition, f'kind_{question.kind}'):
                counts[key] += tally
    net.train()
    return {f'f1_{key}': round(float(2 * tp / max(said + real, 1)), 4)
            for key, (tp, said, real) in sorted(counts.items())}


def score_closeups(net: NanoForward, builder: SequenceBuilder, shard: CloseUpShard,
                   batches: int) -> dict[str, float]:
    """Return held-out scores of the tasks on close-ups, on ``batches`` batches of each kind.

    ``verify`` is the share of right verdicts, ``describe`` of descriptions that are right word for
    word, ``locate`` of answers that are right: absent, or a box at IoU 0.5.
    """
    rng = np.random.default_rng(6)
    right: dict[str, list[bool]] = defaultdict(list)
    net.eval()
    for _ in range(batches):
        for batch in (draw_object_crops(builder, [shard], rng, _IMAGES),
                      draw_searches(builder, [shard], rng, _IMAGES)):
            for row, said in enumerate(decode(net, builder, batch)):
                question = batch.questions[row]
                if question.kind == 'locate':
                    answer, truth = boxes_in(builder, said), list(question.boxes)
                    right['locate'].append(len(answer) == len(truth) == matches(truth, answer))
                    continue
                same = said == [token for token in batch.targets[row].tolist()
                                if token not in (IGNORE, builder.stop)]
                right['describe' if question.kind == 'describe' else 'verify'].append(same)
    net.train()
    return {task: round(float(np.mean(hits)), 4) for task, hits in sorted(right.items())}
