"""Questions about one object: windows that show it, answers that are true of it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.boxes import iou
from rtrack_ros.data.pairs import DataError
from rtrack_ros.engines.resizing import resize_image
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.describer import Describer
from rtrack_ros.language.locator import Locator
from rtrack_ros.language.verifier import Verifier
from rtrack_ros.simulation.descriptions import read_attributes
from rtrack_ros.training.shards.corruption import Corruption
from rtrack_ros.training.tasks.clips import SimulatedClip
from rtrack_ros.training.tasks.locate import Locate, Reader
from rtrack_ros.training.tasks.verify_describe import Describe, Verify

READER = Reader('brief', (128, 96), 'rel1000')
EXACT = Corruption(exact_share=1.0)
BRIGHT = {1: 250, 2: 120}


class Blocks:
    """A clip of two bright blocks that move; the first is out of view in odd frames."""

    sentences = ('the bright block', 'the dim block', 'Block 2-b', 'both blocks')

    def __len__(self) -> int:
        return 12

    def pair(self, index: int) -> FramePair:
        rgb = np.zeros((240, 320, 3), np.uint8)
        for name, (x1, y1, x2, y2) in self.objects(index).items():
            rgb[int(y1):int(y2), int(x1):int(x2)] = BRIGHT[name]
        return FramePair(index, rgb, 255 - rgb[:, :, 0])

    def objects(self, index: int) -> Mapping[int, tuple[float, float, float, float]]:
        shown = {1: (20.0 + 8 * index, 60.0, 44.0 + 8 * index, 100.0),
                 2: (250.0, 150.0, 280.0, 180.0 + index)}
        return shown if index % 2 == 0 else {2: shown[2]}

    def meant(self, sentence: int, index: int) -> frozenset[int]:
        return (frozenset({1}), frozenset({2}), frozenset({2}), frozenset({1, 2}))[sentence]

    def label(self, identity: int) -> str:
        return 'block'


def brightest(image: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(image[:, :, 0] > 185)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def locate(share: float, count: int = 40, corruption: Corruption = EXACT) -> list:
    task = Locate([Blocks()], READER, count, share, 2, corruption)
    return [task[number] for number in range(len(task))]


def test_the_box_to_find_holds_the_pixels_of_the_target() -> None:
    asked = [item for item in locate(0.3) if item.boxes and (item.images[0] > 185).any()]
    assert len(asked) > 5
    for item in asked:
        named = np.array(eval_box(item.prompt.parts[0])) * [0.128, 0.096, 0.128, 0.096]
        assert iou([named], [brightest(item.images[0])])[0, 0] > 0.75
        assert iou(item.boxes, [brightest(item.images[2])])[0, 0] > 0.75
        assert item.prompt.images == len(item.images) == 4 and item.labels == ('block',)
        assert all(image.shape == (96, 128, 3) for image in item.images)
        assert (item.images[3] < 190).any()  # thermal is the negative here


def eval_box(text: str | None) -> list[int]:
    assert text is not None
    return [int(part) for part in text[text.index('[') + 1:text.index(']')].split(',')]


def test_a_target_is_absent_as_often_as_asked_and_then_not_in_the_window() -> None:
    absent = {share: [item for item in locate(share, 60) if not item.boxes]
              for share in (0.0, 0.5, 1.0)}
    assert len(absent[0.0]) < 10 < len(absent[0.5]) < 45 and len(absent[1.0]) > 45
    for item in absent[1.0]:
        if (item.images[0] > 185).mean() > 0.02:  # the bright block was the target
            assert (item.images[2] > 185).mean() < 0.04


def test_a_corrupted_history_shifts_the_window_but_not_the_truth() -> None:
    loose = [item for item in locate(0.0, 60, Corruption(exact_share=0.0)) if item.boxes]
    centres = np.array([[(box[0] + box[2]) / 256, (box[1] + box[3]) / 192]
                        for item in loose for box in item.boxes])
    assert centres.std(axis=0).min() > 0.1
    seen = [item for item in loose if (item.images[0] > 185).any()
            and (item.images[2] > 185).any()]
    assert np.mean([iou(item.boxes, [brightest(item.images[2])])[0, 0] for item in seen]) > 0.75


def test_a_question_depends_on_its_number_alone() -> None:
    first, second = (Locate([Blocks()], READER, 4, 0.3, 5) for _ in range(2))
    assert first[3].prompt == second[3].prompt and first[3].boxes == second[3].boxes
    assert np.array_equal(first[3].images[2], second[3].images[2])
    assert first[2].prompt != first[3].prompt


def test_half_the_sentences_to_verify_are_true_of_what_is_shown() -> None:
    task = Verify([Blocks()], READER, 80, 3, EXACT)
    asked = [task[number] for number in range(80)]
    assert 25 < sum(item.words == 'Yes' for item in asked) < 55
    for item in asked:
        assert item.boxes == () and item.words in ('Yes', 'No') and len(item.images) == 2
        text, bright = str(item.prompt.parts[0]), (item.images[0] > 185).any()
        true = 'both' in text or ('bright' in text) == bool(bright)
        assert (item.words == 'Yes') == true


def test_where_a_clip_has_one_meaning_a_sentence_of_another_clip_is_the_wrong_one() -> None:
    class Only(Blocks):
        def objects(self, index):
            return {2: super().objects(index)[2]}

        def meant(self, sentence, index):
            return frozenset({2})

    class First(Only):
        sentences = ('the dim block',)

    class Second(Only):
        sentences = ('the dim block', 'a fish')
    task = Verify([First(), Second()], READER, 40, 3, EXACT)
    said = {(str(item.prompt.parts[0]).split('] ')[1], item.words)
            for item in (task[number] for number in range(40))}
    assert ('the dim block\nRGB:', 'Yes') in said and ('a fish\nRGB:', 'No') in said
    assert ('the dim block\nRGB:', 'No') not in said


def test_a_description_is_a_sentence_that_means_the_object_alone_and_can_be_written() -> None:
    task = Describe([Blocks()], READER, 30, 4, EXACT)
    for item in (task[number] for number in range(30)):
        bright = bool((item.images[0] > 185).any())
        assert item.words == ('the bright block' if bright else 'the dim block')


def test_the_simulation_knows_what_a_close_view_shows() -> None:
    clip = SimulatedClip(11)
    for index in (0, 9, 15):
        for name in clip.objects(index):
            told = read_attributes(clip.description(name, index))
            assert told.category == clip.label(name)
            claims = clip.claims(name, index)
            assert claims and not any('left side' in text or 'leftmost' in text
                                      for text, _ in claims)
    task = Describe([clip], READER, 6, 4)
    assert all(read_attributes(task[number].words).category for number in range(6))


def test_what_is_trained_is_what_is_asked_later() -> None:
    class Still(Blocks):
        sentences = ('the bright block', 'the dim block')

        def __len__(self):
            return 1

        def objects(self, index):
            return {1: super().objects(0)[1]}

        def meant(self, sentence, index):
            return frozenset({1} if sentence == 0 else ())
    asked = []

    def answer(images, prompt):
        asked.append((prompt, [resize_image(image, READER.size) for image in images]))
        return {'v': 'Yes', 'd': 'block', 'l': '[]'}[str(prompt.parts[0])[0]]
    clip, engine = Still(), ScriptedEngine(answer, image_size=READER.size)
    pair, box = clip.pair(0), clip.objects(0)[1]
    locator = Locator(engine)
    Verifier(engine).verify(pair, box, 'the bright block')
    Describer(engine).describe(pair, box)
    locator.locate(locator.template(pair, box), pair, box)
    verify = Verify([clip], READER, 40, 3, EXACT)
    taught = [next(item for item in map(verify.__getitem__, range(40)) if item.words == 'Yes'),
              Describe([clip], READER, 1, 4, EXACT)[0],
              Locate([clip], READER, 1, 0.0, 2, EXACT)[0]]
    for (prompt, images), question in zip(asked, taught, strict=True):
        assert prompt == question.prompt
        assert all(np.array_equal(a, b) for a, b in zip(images, question.images, strict=True))


def test_clips_that_cannot_be_asked_about_are_refused() -> None:
    class Wordless(Blocks):
        sentences = ()

    class Empty(Blocks):
        def objects(self, index):
            return {}
    for task in (Verify, Describe):
        with pytest.raises(ValueError, match='locate'):
            task([Wordless()], READER, 4, 0)
    with pytest.raises(ValueError, match='all but empty'):
        Locate([Empty()], READER, 4, 0.2, 0)[0]


def test_pixels_of_another_protocol_name_the_same_box() -> None:
    relative = Describe([Blocks()], READER, 3, 4, EXACT)[1]
    absolute = Describe([Blocks()], replace(READER, protocol='abs_resized'), 3, 4, EXACT)[1]
    scaled = np.array(eval_box(relative.prompt.parts[0])) * [0.128, 0.096, 0.128, 0.096]
    assert np.allclose(eval_box(absolute.prompt.parts[0]), scaled, atol=1)


class OneInThousands(Blocks):
    """A long clip with one object, in one frame."""

    sentences = ('the dim block',)

    def __len__(self) -> int:
        return 3000

    def objects(self, index: int) -> Mapping[int, tuple[float, float, float, float]]:
        return {2: (250.0, 150.0, 280.0, 180.0)} if index == 1234 else {}

    def meant(self, sentence: int, index: int) -> frozenset[int]:
        return frozenset(self.objects(index))


class Empty(OneInThousands):
    def objects(self, index: int) -> Mapping[int, tuple[float, float, float, float]]:
        return {}


@pytest.mark.parametrize('task', [
    lambda clips: Locate(clips, READER, 3, 0.0, 1), lambda clips: Describe(clips, READER, 3, 1)])
def test_an_object_that_is_there_is_found_however_rare(task) -> None:
    clips = [Empty(), OneInThousands(), Empty()]
    asked = task(clips)
    assert [asked.target(asked.rng(number)).index for number in range(3)] == [1234] * 3
    assert len(asked[0].images) > 0
    with pytest.raises(DataError, match='no (frame|sentence)'):
        task([Empty()])[0]
