"""rtrack-nano's training: the fast forward is the library's, and learning lowers the loss."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
pytest.importorskip('transformers', reason='learning needs the extra train (make test TORCH=1)')

import yaml  # noqa: E402

from rtrack_ros.provenance import ProvenanceError  # noqa: E402
from rtrack_ros.training.configs import shipped_config  # noqa: E402
from rtrack_ros.training.failure import TrainingError  # noqa: E402
from rtrack_ros.training.models import nano  # noqa: E402
from rtrack_ros.training.models.checkpoint import read_checkpoint  # noqa: E402
from rtrack_ros.training.models.tokenizer import ANSWER, build_tokenizer  # noqa: E402
from rtrack_ros.training.nano import augmentation, trainer  # noqa: E402
from rtrack_ros.training.nano.augmentation import mirror  # noqa: E402
from rtrack_ros.training.nano.batch_feed import Feed  # noqa: E402
from rtrack_ros.training.nano.batches import Batch, collate  # noqa: E402
from rtrack_ros.training.nano.decoding import boxes_in, decode, matches  # noqa: E402
from rtrack_ros.training.nano.draw_batch import draw_ground, ground_question  # noqa: E402
from rtrack_ros.training.nano.forward import NanoForward, patches  # noqa: E402
from rtrack_ros.training.nano.losses import language_loss  # noqa: E402
from rtrack_ros.training.nano.sequences import CELLS, IGNORE, SequenceBuilder  # noqa: E402
from rtrack_ros.training.shards.frames import (  # noqa: E402
    NEGATIONS,
    SentenceRow,
    Shard,
    read_shard,
    write_shard,
)
from rtrack_ros.training.yaml_settings import SettingsError  # noqa: E402


@pytest.fixture(scope='module')
def shard(tmp_path_factory: pytest.TempPathFactory) -> Shard:
    folder = tmp_path_factory.mktemp('shard')
    write_shard(folder, 0, 50, 24, nano.IMAGE_SIZE)
    return read_shard(folder, 0)


@pytest.fixture(scope='module')
def builder() -> SequenceBuilder:
    return SequenceBuilder(build_tokenizer())


@pytest.fixture
def net(builder: SequenceBuilder) -> NanoForward:
    return NanoForward(nano.build_model(build_tokenizer(), 0), builder.numbers)


@pytest.fixture
def batch(builder: SequenceBuilder, shard: Shard) -> Batch:
    return draw_ground(builder, [shard], np.random.default_rng(0), 3, 2)


def test_a_number_and_a_json_piece_are_one_token() -> None:
    tokenizer = build_tokenizer()
    assert all(len(tokenizer.encode(str(number))) == 1 for number in (0, 7, 312, 1000))
    assert len(tokenizer.encode('[]')) == 1
    assert tokenizer.decode(tokenizer.encode(ANSWER)) == ANSWER


@pytest.mark.parametrize('text', ['zebra ünïcode 日本', '<|im_end|>', '', '  a  b '])
def test_any_text_survives_the_tokenizer(text: str) -> None:
    tokenizer = build_tokenizer()
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_model_keeps_its_size(net: NanoForward) -> None:
    assert sum(item.numel() for item in net.model.parameters()) <= 8_000_000


def test_answers_are_the_text_of_the_grammar(builder: SequenceBuilder, batch: Batch) -> None:
    tokenizer = build_tokenizer()
    for row, question in enumerate(batch.questions):
        ids = [token for token in batch.targets[row].tolist() if token != IGNORE]
        text = tokenizer.decode(ids[:-1])
        assert text.count('bbox_2d') == len(question.boxes)
        assert ids[-1] == builder.stop and (text == '[]') == (not question.boxes)


def test_forward_equals_the_library(net: NanoForward, builder: SequenceBuilder, batch: Batch
                                    ) -> None:
    net.eval()
    with torch.no_grad():
        hidden, _ = net.read(net.see(batch.images), batch)
        row = 3
        kept = batch.mask[row] == 1
        ids = batch.ids[row][kept][None]
        pixels = patches(batch.images[row // 2]).view(-1, 3, 1, 16, 16)
        height, width = nano.IMAGE_SIZE[1] // 16, nano.IMAGE_SIZE[0] // 16
        expected = net.model.model(
            input_ids=ids, pixel_values=pixels.expand(-1, 3, 2, 16, 16).reshape(-1, 1536),
            image_grid_thw=torch.tensor([[1, height, width]] * 2),
            mm_token_type_ids=(ids == builder.image).int(),
            attention_mask=torch.ones_like(ids)).last_hidden_state[0]
    assert torch.allclose(hidden[row][kept], expected, atol=1e-4)


def test_decoding_a_teacher_gives_its_boxes(net: NanoForward, builder: SequenceBuilder,
                                            shard: Shard) -> None:
    """A model trained on one picture says its boxes: loss, decoding and parsing agree."""
    index = next(i for i, row in enumerate(shard.rows)
                 if any(item.kind == 'class' and item.objects for item in row.sentences))
    row = shard.rows[index]
    sentence = next(s for s in row.sentences if s.kind == 'class' and s.objects)
    pair = np.stack([shard.rgb[index], np.repeat(shard.thermal[index][:, :, None], 3, 2)])[None]
    batch = collate(builder, [row], pair, [[ground_question(builder, row, sentence)]])
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    losses = []
    for _ in range(60):
        loss, _ = language_loss(net, builder, batch, 3.0)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    said, truth = boxes_in(builder, decode(net, builder, batch)[0]), batch.questions[0].boxes
    assert matches(list(truth), said, 0.5) == len(truth) == len(said)


def test_without_heads_only_the_answers_teach(net: NanoForward, builder: SequenceBuilder,
                                              batch: Batch) -> None:
    both, report = language_loss(net, builder, batch, 3.0)
    alone, short = language_loss(net, builder, batch, 3.0, heads=False)
    assert short == {name: pytest.approx(report[name], abs=1e-4) for name in short}
    assert float(alone.detach()) < float(both.detach())
    assert not any(name.startswith('dense') for name in short)
    alone.backward()
    taught = {name for name, value in net.named_parameters() if value.grad is not None}
    assert not any(name.startswith(('vision_head', 'language_head')) for name in taught)
    assert any('.visual.' in name for name in taught)


def test_mirroring_twice_is_the_identity_and_swaps_sides(shard: Shard) -> None:
    for row in shard.rows[:6]:
        back = mirror(mirror(row))
        assert [item.text for item in back.sentences] == [item.text for item in row.sentences]
        for ours, theirs in zip(back.objects, row.objects, strict=True):
            assert ours.box == pytest.approx(theirs.box) and ours.facing == theirs.facing
    texts = [item.text for row in shard.rows for item in row.sentences if 'left' in item.text]
    assert texts


def test_dense_targets_mark_the_token_of_each_centre(batch: Batch) -> None:
    assert batch.dense.present.shape == (3, CELLS)
    assert batch.referred.present.shape == (6, CELLS)
    for row, question in enumerate(batch.questions):
        assert (batch.referred.present[row].sum() > 0) == bool(question.boxes)


def test_a_share_of_pairs_comes_from_composed_frames(builder: SequenceBuilder,
                                                     shard: Shard) -> None:
    composed = Shard(shard.rgb, shard.thermal,
                     tuple(replace(row, condition='composed') for row in shard.rows))

    def conditions(share: float) -> set[str]:
        rng = np.random.default_rng(1)
        batch = draw_ground(builder, [shard], rng, 4, 1, [composed], share)
        return {question.condition for question in batch.questions}

    assert 'composed' not in conditions(0.0) and conditions(1.0) == {'composed'}


def test_shards_depend_on_their_number_alone(tmp_path: Path) -> None:
    write_shard(tmp_path / 'a', 1, 50, 4, (64, 48))
    write_shard(tmp_path / 'b', 1, 50, 4, (64, 48))
    first, second = read_shard(tmp_path / 'a', 1), read_shard(tmp_path / 'b', 1)
    assert np.array_equal(first.rgb, second.rgb) and first.rows == second.rows


def test_negations_come_beside_the_ordinary_sentences_of_the_same_frames(tmp_path: Path) -> None:
    write_shard(tmp_path / 'plain', 0, 50, 4, (64, 48))
    write_shard(tmp_path / 'denied', 0, 50, 4, (64, 48), negations=True)
    plain, denied = read_shard(tmp_path / 'plain', 0), read_shard(tmp_path / 'denied', 0)
    assert np.array_equal(plain.rgb, denied.rgb)
    for ours, theirs in zip(denied.rows, plain.rows, strict=True):
        assert ours.objects == theirs.objects
        count = len(theirs.sentences)
        assert ours.sentences[:count] == theirs.sentences
        assert len(ours.sentences) == count + NEGATIONS
    with pytest.raises(ProvenanceError, match='negations'):
        write_shard(tmp_path / 'plain', 0, 50, 4, (64, 48), negations=True)


def test_a_part_of_a_picture_is_not_asked_what_only_the_whole_decides(shard: Shard) -> None:
    row = replace(shard.rows[0], sentences=tuple(
        SentenceRow('', kind, ()) for kind in ('not place', 'depth', 'not colour', 'place')))
    left, _, _ = augmentation.crop(np.random.default_rng(0), row, shard.rgb[0], shard.thermal[0])
    assert [item.kind for item in left.sentences] == ['not colour']


def test_rounding_to_the_grid_of_int8_keeps_within_half_a_step_and_is_done_once() -> None:
    weight = torch.randn(7, 40, generator=torch.Generator().manual_seed(0)) * 3 + 1
    rounded = nano.on_int8_grid(weight)
    step = (weight.amax(1).clamp(min=0) - weight.amin(1).clamp(max=0)) / 255
    assert ((rounded - weight).abs().amax(1) <= step + 1e-6).all()
    assert all(len(row.unique()) <= 256 for row in rounded)
    assert torch.allclose(nano.on_int8_grid(rounded.half()), rounded, atol=2e-3)
    assert torch.equal(nano.on_int8_grid(weight[0]), weight[0])


@pytest.fixture
def small() -> dict[str, Any]:
    config = yaml.safe_load(shipped_config('nano').read_text())
    config |= {'compile': False, 'checkpoint_steps': 1, 'evaluate_steps': 2,
               'evaluate_sentences': 4}
    config['data'] |= {'shards': 1, 'frames_per_shard': 6, 'held_out_frames': 6}
    config['data']['closeups'] |= {'shards': 1, 'episodes_per_shard': 3, 'held_out_episodes': 3}
    config['dense'] |= {'steps': 2, 'images': 2}
    config['language'] |= {'steps': 6, 'images': 2, 'sentences': 2, 'decay_steps': 1,
                           'dense_images': 2, 'closeups': {'object_crop': 0.3, 'locate': 0.4}}
    return dict(config)


def test_loaders_draw_the_batches_that_the_trainer_would(
        tmp_path: Path, small: dict[str, Any], builder: SequenceBuilder) -> None:
    with ThreadPoolExecutor(1) as pool:
        own, loaded = (list(Feed(small, tmp_path, builder, pool, loaders).batches('language', 3))
                       for loaders in (0, 2))
    assert len(own) == len(loaded) == 3
    for ours, theirs in zip(own, loaded, strict=True):
        assert list(ours) == list(theirs)
        for name, batch in ours.items():
            assert torch.equal(batch.images, theirs[name].images)
            assert torch.equal(batch.dense.box, theirs[name].dense.box)
            assert batch.questions == theirs[name].questions


@pytest.mark.parametrize('name', ['portrait', 'lcoate'])
def test_steps_of_an_unknown_kind_are_refused(tmp_path: Path, small: dict[str, Any],
                                              builder: SequenceBuilder, name: str) -> None:
    small['language']['closeups'] = {name: 0.3}
    with ThreadPoolExecutor(1) as pool, pytest.raises(
            SettingsError, match=f'unknown entries {name}; known are object_crop, locate'):
        Feed(small, tmp_path, builder, pool)


def test_a_batch_moves_with_every_tensor(batch: Batch) -> None:
    there = batch.to(torch.device('meta'))
    assert there.images.is_meta and there.dense.box.is_meta and there.referred.weight.is_meta
    assert there.looks.is_meta and there.questions is batch.questions


def test_exposure_scales_shifts_and_clips_each_level() -> None:
    levels = np.arange(256, dtype=np.uint8)[None]
    said = augmentation._exposed(levels, 1.1, -10.0)[0]
    assert np.array_equal(said, np.clip(levels[0] * np.float32(1.1) - 10, 0, 255).astype(np.uint8))


def test_a_run_is_saved_resumed_and_finished(tmp_path: Path, small: dict[str, Any]) -> None:
    path = tmp_path / 'small.yaml'
    path.write_text(yaml.safe_dump(small))
    folder = trainer.train(path, tmp_path / 'run')
    assert (folder / 'model.safetensors').is_file() and (folder / 'rtrack.json').is_file()
    log = (tmp_path / 'run' / 'log.jsonl').read_text()
    assert 'f1_all' in log and '"verify"' in log and '"locate"' in log
    before = (folder / 'model.safetensors').read_bytes()
    trainer.train(path, tmp_path / 'run')
    assert (folder / 'model.safetensors').read_bytes() == before
    small['language']['steps'] += 1
    path.write_text(yaml.safe_dump(small))
    with pytest.raises(ProvenanceError, match=r'settings\.language\.steps was 6, is now 7'):
        trainer.train(path, tmp_path / 'run')


def test_a_run_whose_model_lost_its_weights_writes_them_again(
        tmp_path: Path, small: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'small.yaml'
    small['language']['steps'] = 1
    path.write_text(yaml.safe_dump(small))
    monkeypatch.setattr(trainer, '_better', lambda run, feed: run.average)
    weights = trainer.train(path, tmp_path / 'run') / 'model.safetensors'
    before = weights.read_bytes()
    weights.write_bytes(before[:1000])
    trainer.train(path, tmp_path / 'run')
    assert weights.read_bytes() == before


@pytest.mark.parametrize('damage', [lambda whole: whole[:len(whole) // 2], lambda whole: b'',
                                    lambda whole: b'no checkpoint'])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, damage) -> None:
    path = tmp_path / 'checkpoint.pt'
    torch.save({'step': 3, 'weights': torch.zeros(1000)}, path)
    assert read_checkpoint(path)['step'] == 3
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(TrainingError, match=r'checkpoint.pt is damaged.*remove it'):
        read_checkpoint(path)


@pytest.mark.parametrize('change, said', [
    ({'sede': 1}, 'unknown entries sede; known are'), ({'sigma': None}, 'sigma must be a number'),
    ({'seed': 'one'}, 'seed must be a whole number'),
    ({'sigma': float('inf')}, 'sigma must be a finite number'),
    ({'dense': {'images': 2}}, r'the entry dense\.steps is missing'),
    ({'initial': '/no/such/weights'}, 'initial names /no/such/weights, which is not there')])
def test_mistakes_of_a_configuration_are_named(tmp_path: Path, small: dict[str, Any],
                                               change: dict[str, Any], said: str) -> None:
    path = tmp_path / 'small.yaml'
    path.write_text(yaml.safe_dump(small | change))
    with pytest.raises(SettingsError, match=said):
        trainer.train(path, tmp_path / 'run')


def test_a_step_whose_loss_is_no_number_is_an_error(tmp_path: Path, net: NanoForward, batch: Batch,
                                                    builder: SequenceBuilder) -> None:
    config = yaml.safe_load(shipped_config('nano').read_text())
    run = trainer.TrainingRun(tmp_path, config, net, builder, deepcopy(net.state_dict()))
    run.optimizer = torch.optim.AdamW(trainer._groups(net, 0.03))
    with torch.no_grad():
        next(net.model.parameters()).view(-1)[0] = float('nan')
    with pytest.raises(TrainingError, match='dense, step 0: (loss|gradient) is nan'):
        trainer._step(run, 'dense', batch, 1e-3)


def test_a_run_may_begin_with_the_mean_of_several_weights(tmp_path: Path,
                                                          net: NanoForward) -> None:
    twin = deepcopy(net.model)
    with torch.no_grad():
        for value in twin.parameters():
            value.add_(0.5)
    folders = [str(tmp_path / name) for name in ('one', 'other', 'another')]
    for folder, model in zip(folders, (net.model, twin, twin), strict=True):
        nano.save_nano(model, build_tokenizer(), Path(folder))
    mean = trainer._first_model({'seed': 1, 'initial': folders}, build_tokenizer())
    alone = trainer._first_model({'seed': 1, 'initial': folders[0]}, build_tokenizer())
    for value, first in zip(mean.parameters(), alone.parameters(), strict=True):
        assert torch.allclose(value, first + 1 / 3, atol=0.02)


def test_a_run_begins_with_given_weights_and_keeps_them_while_the_heads_warm_up(
        tmp_path: Path, net: NanoForward, builder: SequenceBuilder, shard: Shard) -> None:
    nano.save_nano(net.model, build_tokenizer(), tmp_path)
    config = yaml.safe_load(shipped_config('nano').read_text())
    config['dense']['head_steps'] = 1
    model = trainer._first_model(config | {'initial': str(tmp_path)}, build_tokenizer())
    begun = NanoForward(model, builder.numbers)
    run = trainer.TrainingRun(tmp_path, config, begun, builder, deepcopy(begun.state_dict()))
    run.optimizer = torch.optim.AdamW(trainer._groups(begun, 0.03))
    given = deepcopy(model.state_dict())
    assert all(torch.allclose(value, net.model.state_dict()[name], atol=0.02)
               for name, value in given.items())
    batch = draw_ground(builder, [shard], np.random.default_rng(0), 2, 1)
    for step, kept in ((0, True), (1, False)):
        head = deepcopy(begun.vision_head.state_dict())
        run.step = step
        trainer._step(run, 'dense', batch, 1e-3)
        same = (torch.equal(value, given[name]) for name, value in model.state_dict().items())
        assert all(same) == kept
        assert any(not torch.equal(value, head[name])
                   for name, value in begun.vision_head.state_dict().items())
