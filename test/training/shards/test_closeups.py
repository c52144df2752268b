"""Close-ups: what is asked about them is true of the pictures, and training reads them."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='learning needs the extra train (make test TORCH=1)')
pytest.importorskip('transformers', reason='learning needs the extra train (make test TORCH=1)')

from rtrack_ros.simulation.expressions import Sighting  # noqa: E402
from rtrack_ros.simulation.scene import Scene  # noqa: E402
from rtrack_ros.training.models import nano  # noqa: E402
from rtrack_ros.training.models.tokenizer import build_tokenizer  # noqa: E402
from rtrack_ros.training.nano.decoding import score_closeups  # noqa: E402
from rtrack_ros.training.nano.draw_batch import (  # noqa: E402
    CLAIMS,
    draw_object_crops,
    draw_searches,
    mirror_episode,
)
from rtrack_ros.training.nano.forward import NanoForward  # noqa: E402
from rtrack_ros.training.nano.losses import language_loss  # noqa: E402
from rtrack_ros.training.nano.sequences import IGNORE, SequenceBuilder  # noqa: E402
from rtrack_ros.training.shards import closeups  # noqa: E402
from rtrack_ros.training.shards.closeups import (  # noqa: E402
    CloseUpShard,
    Episode,
    draw_episodes,
    read_closeups,
    write_closeups,
)
from rtrack_ros.training.shards.corruption import Corruption  # noqa: E402


@pytest.fixture(scope='module')
def shard(tmp_path_factory: pytest.TempPathFactory) -> CloseUpShard:
    folder = tmp_path_factory.mktemp('closeups')
    write_closeups(folder, 0, 60, 30, nano.IMAGE_SIZE)
    return read_closeups(folder, 0)


@pytest.fixture(scope='module')
def builder() -> SequenceBuilder:
    return SequenceBuilder(build_tokenizer())


def test_reading_gives_what_was_drawn(shard: CloseUpShard) -> None:
    drawn = [episode for seed in (60, 61, 62)
             for _, episode in draw_episodes(seed, nano.IMAGE_SIZE)]
    assert list(shard.episodes) == drawn[:len(shard.episodes)]


def test_exact_histories_centre_the_object_and_name_its_box() -> None:
    exact = Corruption(exact_share=1.0)
    for _, episode in draw_episodes(61, nano.IMAGE_SIZE, exact):
        for view in episode.views[:2]:
            assert view.target is not None and view.box is not None
            assert view.box == pytest.approx(view.frame.objects[view.target].box, abs=1e-6)


def test_targets_are_absent_at_times_and_histories_are_off(shard: CloseUpShard) -> None:
    searches = [episode.views[2] for episode in shard.episodes]
    found = [view for view in searches if view.target is not None]
    assert 0 < len(found) < len(searches)
    centres = [np.mean(view.frame.objects[view.target].box[::2]) for view in found]
    assert np.std(centres) > 50


def test_targets_are_shown_where_another_object_is_close(monkeypatch: pytest.MonkeyPatch) -> None:
    def crowded(share: float, view: int) -> float:
        monkeypatch.setattr(closeups, 'CROSSING_SHARE', share)
        views = [episode.views[view] for seed in range(60, 64)
                 for _, episode in draw_episodes(seed, nano.IMAGE_SIZE)]
        return float(np.mean([len(shown.frame.objects) > 1 for shown in views]))

    template, search = 1, 2
    assert crowded(1.0, template) > crowded(0.0, template)
    assert crowded(1.0, search) > crowded(0.0, search)


def test_who_is_hidden_is_asked_about_before_who_is_in_a_crowd(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closeups, 'CROSSING_SHARE', 1.0)
    scene = Scene(60, 12.0)
    later = max((closeups._moment(scene, index) for index in range(0, 240, 40)),
                key=lambda moment: len(moment.seen))
    seen = sorted(later.seen)
    hidden = max(seen) + 1
    for seed in range(5):
        rng = np.random.default_rng(seed)
        asked = closeups._asked_about(rng, later, [*seen, hidden])
        assert len(seen) > 1 and asked[0] == hidden


def test_some_windows_are_about_a_neighbour_and_still_show_the_target() -> None:
    exact = Corruption(exact_share=1.0)
    mistaken = 0
    for seed in range(60, 64):
        for _, episode in draw_episodes(seed, nano.IMAGE_SIZE, exact):
            view = episode.views[2]
            centred = {row for row, item in enumerate(view.frame.objects)
                       if np.abs(np.add(item.box[:2], item.box[2:]) / 2 - 500).max() < 10}
            mistaken += view.target is not None and bool(centred - {view.target})
    assert mistaken > 0


def test_claims_are_true_of_the_object_that_is_shown() -> None:
    colours = {'red', 'blue', 'green', 'yellow', 'orange', 'white', 'black', 'grey'}
    checked = 0
    for _, episode in draw_episodes(61, nano.IMAGE_SIZE):
        said = set(episode.description.split())
        for claim in episode.claims:
            named = set(claim.text.split()) & colours
            if claim.kind == 'plural' and claim.true and said & colours:
                assert named <= said
                checked += 1
    assert checked > 0


def test_darkness_hides_colours_from_claims() -> None:
    for _, episode in draw_episodes(62, nano.IMAGE_SIZE):
        if episode.views[0].frame.condition == 'night':
            assert not {'colour', 'plural'} & {claim.kind for claim in episode.claims}


def test_mirroring_twice_is_the_identity(shard: CloseUpShard) -> None:
    def text(episode: Episode) -> list[str]:
        return [episode.description, *(claim.text for claim in episode.claims)]

    for episode in shard.episodes:
        back = mirror_episode(mirror_episode(episode))
        assert text(back) == text(episode)
        for ours, theirs in zip(back.views, episode.views, strict=True):
            assert ours.box == pytest.approx(theirs.box)
    assert any(text(mirror_episode(episode)) != text(episode) for episode in shard.episodes)


def test_sequences_are_what_chat_template_and_grammar_make(builder: SequenceBuilder,
                                                           shard: CloseUpShard) -> None:
    from rtrack_ros.engines.chat import chat_text
    tokenizer, rng = build_tokenizer(), np.random.default_rng(0)
    for draw in (draw_object_crops, draw_searches):
        batch = draw(builder, [shard], rng, 3)
        for row, question in enumerate(batch.questions):
            ids = batch.ids[row][batch.mask[row] == 1].tolist()
            once = [token for token, before in zip(ids, [None, *ids], strict=False)
                    if token != builder.image or before != builder.image]
            answer = [token for token in batch.targets[row].tolist() if token != IGNORE]
            expected = tokenizer.encode(chat_text(question.prompt)) + answer
            assert once == expected and answer[-1] == builder.stop


def test_object_crops_carry_claims_of_both_kinds_and_a_description(builder: SequenceBuilder,
                                                                shard: CloseUpShard) -> None:
    batch = draw_object_crops(builder, [shard], np.random.default_rng(1), 8)
    assert len(batch.questions) == 8 * (CLAIMS + 1)
    first = [question.answer[0] for question in batch.questions if question.kind != 'describe']
    assert {builder.verdicts[True], builder.verdicts[False]} == set(first)
    assert sum(question.kind == 'describe' for question in batch.questions) == 8


def test_forward_over_four_images_equals_the_library(builder: SequenceBuilder,
                                                     shard: CloseUpShard) -> None:
    from rtrack_ros.training.nano.forward import patches
    net = NanoForward(nano.build_model(build_tokenizer(), 0), builder.numbers).eval()
    batch = draw_searches(builder, [shard], np.random.default_rng(2), 2)
    with torch.no_grad():
        hidden, _ = net.read(net.see(batch.images), batch)
        kept = batch.mask[1] == 1
        ids = batch.ids[1][kept][None]
        pixels = patches(batch.images[1]).view(-1, 3, 1, 16, 16)
        height, width = nano.IMAGE_SIZE[1] // 16, nano.IMAGE_SIZE[0] // 16
        expected = net.model.model(
            input_ids=ids, pixel_values=pixels.expand(-1, 3, 2, 16, 16).reshape(-1, 1536),
            image_grid_thw=torch.tensor([[1, height, width]] * 4),
            mm_token_type_ids=(ids == builder.image).int(),
            attention_mask=torch.ones_like(ids)).last_hidden_state[0]
    assert torch.allclose(hidden[1][kept], expected, atol=1e-4)


def test_learning_an_object_crop_by_heart_lowers_the_loss_of_its_words(
        builder: SequenceBuilder, shard: CloseUpShard) -> None:
    few = CloseUpShard(shard.rgb[:1], shard.thermal[:1], shard.episodes[:1])
    net = NanoForward(nano.build_model(build_tokenizer(), 0), builder.numbers)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    prose = []
    for step in range(24):
        batch = draw_object_crops(builder, [few], np.random.default_rng(step), 1)
        loss, report = language_loss(net, builder, batch, 3.0)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        prose.append(report['prose'])
    assert prose[-1] < 0.6 * prose[0]


def test_scores_of_closeups_are_shares(builder: SequenceBuilder, shard: CloseUpShard) -> None:
    net = NanoForward(nano.build_model(build_tokenizer(), 0), builder.numbers)
    scores = score_closeups(net, builder, shard, 1)
    assert set(scores) == {'verify', 'describe', 'locate'}
    assert all(0 <= value <= 1 for value in scores.values()) and scores['describe'] == 0


def test_a_sighting_is_described_without_colours_in_the_dark() -> None:
    from rtrack_ros.simulation.descriptions import describe_sighting
    scene = Scene(61, 2.0, conditions=['night'])
    seen: list[Sighting] = scene.sightings(10)
    assert seen and all(' in ' not in describe_sighting(item, 'night') for item in seen)


def test_half_of_the_denied_claims_that_are_asked_are_true(
        tmp_path: Path, builder: SequenceBuilder, shard: CloseUpShard) -> None:
    write_closeups(tmp_path, 0, 60, 30, nano.IMAGE_SIZE, negations=True)
    drawn = read_closeups(tmp_path, 0)
    assert np.array_equal(drawn.rgb, shard.rgb)
    for ours, plain in zip(drawn.episodes, shard.episodes, strict=True):
        assert ours.views == plain.views and ours.claims[:len(plain.claims)] == plain.claims
    asked = [question for seed in range(30) for question in draw_object_crops(
        builder, [drawn], np.random.default_rng(seed), 8).questions]
    claims = [question for question in asked if question.kind != 'describe']
    denied = [question.answer[0] == builder.verdicts[True] for question in claims
              if question.kind.startswith('not ')]
    assert 0.1 < len(denied) / len(claims) < 0.5
    assert 0.4 < np.mean(denied) < 0.6
