"""The tasks beside grounding: what the engine is shown, and how its text is read."""

from dataclasses import replace

import numpy as np
import pytest

from rtrack_ros.engines.base import TaskError
from rtrack_ros.engines.scripted import ScriptedEngine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.closeup import OBJECT_CROP_FACTOR, SEARCH_FACTOR, window_around
from rtrack_ros.language.coordinates import ProtocolError
from rtrack_ros.language.describer import Describer
from rtrack_ros.language.grammar import MAX_DESCRIPTION_CHARACTERS
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.locator import Locator
from rtrack_ros.language.parser import AnswerError
from rtrack_ros.language.verifier import Verifier

SIZE = (256, 192)
BOX = (300.0, 200.0, 340.0, 280.0)
ASKERS = {'ground': Grounder, 'locate': Locator, 'verify': Verifier, 'describe': Describer}


def pair(value=None) -> FramePair:
    rng = np.random.default_rng(4)
    rgb = rng.integers(0, 255, (480, 640, 3)).astype(np.uint8) if value is None else np.full(
        (480, 640, 3), value, np.uint8)
    return FramePair(5, rgb, 255 - rgb[:, :, 0])


def engine(script, **options) -> ScriptedEngine:
    return ScriptedEngine(script, image_size=SIZE, **options)


class Watching(ScriptedEngine):
    """Keeps what it was asked."""

    def __init__(self, script):
        super().__init__(script, image_size=SIZE)
        self.asked = []

    def infer(self, images, prompt, grammar, max_tokens, deadline_s=None, on_text=None):
        self.asked.append((images, prompt, grammar, max_tokens, deadline_s))
        return super().infer(images, prompt, grammar, max_tokens, deadline_s)


@pytest.mark.parametrize('task', ASKERS)
def test_a_model_that_was_not_trained_for_a_task_is_refused_with_the_remedy(task: str) -> None:
    others = tuple(name for name in ASKERS if name != task)
    with pytest.raises(TaskError, match=rf'not trained to {task} .*rtrack\.json lists'):
        ASKERS[task](engine(['[]'], tasks=others))
    ASKERS[task](engine(['[]'], tasks=(task,)))


@pytest.mark.parametrize('task', ASKERS)
def test_a_model_of_unknown_protocol_is_refused_at_once(task: str) -> None:
    with pytest.raises(ProtocolError, match='rel1000'):
        ASKERS[task](engine(['[]'], bbox_protocol='pixels'))


def box_in(region, box=BOX):
    """The box in thousandths of the region, as the prompt has it."""
    sides = region[2] - region[0], region[3] - region[1]
    return [round((box[edge] - region[edge % 2]) * 1000 / sides[edge % 2]) for edge in range(4)]


def test_a_verifier_shows_the_object_closely_and_names_its_box_there() -> None:
    model, shown = Watching(['Yes']), pair()
    assert Verifier(model).verify(shown, BOX, 'The red car.', deadline_s=9.0) == 1.0
    images, prompt, grammar, _, deadline = model.asked[0]
    region = window_around(BOX, OBJECT_CROP_FACTOR, (640, 480), SIZE)
    x1, y1, x2, y2 = region
    assert np.array_equal(images[0], shown.rgb[y1:y2, x1:x2])
    assert np.array_equal(images[1][:, :, 2], shown.thermal[y1:y2, x1:x2])
    assert prompt.parts[0] == f'verify {box_in(region)} the red car\nRGB:'
    assert grammar.regex == '(Yes|No)' and deadline == 9.0


@pytest.mark.parametrize(('text', 'confidence', 'probability'), [
    ('Yes', None, 1.0), ('No', None, 0.0), ('Yes', 0.9, 0.9), ('No', 0.9, 0.1),
    ('Yes', 0.2, 0.5), ('No', 0.01, 0.5), ('"Yes"', 0.75, 0.75)])
def test_the_verdict_is_a_probability_of_yes(text, confidence, probability) -> None:
    verifier = Verifier(engine([text], confidence=confidence))
    assert verifier.verify(pair(), BOX, 'a car') == pytest.approx(probability)


def test_the_probability_is_that_of_all_tokens_of_the_word() -> None:
    class Spelling(ScriptedEngine):
        def infer(self, *args, **options):
            return replace(super().infer(*args, **options), tokens=3, confidence=0.9)
    spelling = Spelling(['No'], image_size=SIZE)
    assert Verifier(spelling).verify(pair(), BOX, 'a car') == pytest.approx(1 - 0.9 ** 3)


@pytest.mark.parametrize('text', ['Maybe', 'yes', '', '"No', '[]'])
def test_a_verdict_that_is_neither_is_an_answer_error(text) -> None:
    with pytest.raises(AnswerError):
        Verifier(engine([text])).verify(pair(), BOX, 'a car')


def test_sentences_about_one_object_share_one_encoding() -> None:
    class Sharing(ScriptedEngine):
        encoded = 0

        def capabilities(self):
            return replace(super().capabilities(), shares_images=True)

        def encode(self, images):
            self.encoded += 1
            return images

        def answer(self, seen, prompt, grammar, max_tokens, deadline_s=None, on_text=None):
            return self.infer(seen, prompt, grammar, max_tokens, deadline_s)
    model, first = Sharing(['Yes'], image_size=SIZE), pair()
    verifier = Verifier(model)
    for shown, box in ((first, BOX), (first, BOX), (first, (0, 0, 9, 9)), (pair(), (0, 0, 9, 9))):
        verifier.verify(shown, box, 'a car')
    assert model.encoded == 3


def test_a_describer_names_the_box_and_returns_the_words() -> None:
    model = Watching(['person in red, walking to the left '])
    assert Describer(model).describe(pair(), BOX) == 'person in red, walking to the left'
    _, prompt, grammar, max_tokens, _ = model.asked[0]
    region = window_around(BOX, OBJECT_CROP_FACTOR, (640, 480), SIZE)
    assert prompt.parts[0] == f'describe {box_in(region)}\nRGB:'
    assert grammar.regex.startswith('[a-z]') and max_tokens > MAX_DESCRIPTION_CHARACTERS


@pytest.mark.parametrize('text', ['', ' a car', 'A car', 'car 7', 'car\n', 'a' * 97])
def test_a_text_that_is_no_description_is_an_answer_error(text) -> None:
    with pytest.raises(AnswerError):
        Describer(engine([text])).describe(pair(), BOX)


FOUND = '[{"bbox_2d": [250, 500, 500, 1000], "label": "car"}]'


def test_a_target_found_in_the_window_is_at_its_place_in_the_image() -> None:
    locator, later = Locator(engine([FOUND])), pair(80)
    believed = (330.0, 210.0, 370.0, 290.0)
    found = locator.locate(locator.template(pair(), BOX), later, believed)
    x1, y1, x2, y2 = window_around(believed, SEARCH_FACTOR, (640, 480), SIZE)
    width, height = x2 - x1, y2 - y1
    assert found is not None and found.label == 'car'
    assert found.box == pytest.approx(
        (x1 + width / 4, y1 + height / 2, x1 + width / 2, y2))


def test_the_template_comes_before_the_search_window_and_carries_the_box() -> None:
    model, first, later = Watching(['[]']), pair(), pair(80)
    locator = Locator(model)
    assert locator.locate(locator.template(first, BOX), later, (0, 0, 40, 80), 3.0) is None
    images, prompt, grammar, _, deadline = model.asked[0]
    region = window_around(BOX, SEARCH_FACTOR, (640, 480), SIZE)
    x1, y1, x2, y2 = region
    assert np.array_equal(images[0], first.rgb[y1:y2, x1:x2])
    assert np.array_equal(images[1][:, :, 0], first.thermal[y1:y2, x1:x2])
    assert (images[2] == 80).all() and (images[3] == 175).all()
    assert prompt.parts[0] == f'locate {box_in(region)}\nRGB:' and prompt.images == 4
    assert '{0,0}' in grammar.regex and deadline == 3.0


def test_a_template_outlives_its_frame() -> None:
    model, shown = Watching(['[]']), pair(200)
    template = Locator(model).template(shown, BOX)
    shown.rgb[:] = 0
    shown.thermal[:] = 0
    assert (template.view.rgb == 200).all() and (template.view.thermal == 55).all()


def test_a_cut_answer_is_an_answer_error() -> None:
    class Cut(ScriptedEngine):
        def infer(self, images, prompt, grammar, max_tokens, deadline_s=None, on_text=None):
            return super().infer(images, prompt, grammar, 1, deadline_s)
    locator = Locator(Cut([FOUND], image_size=SIZE))
    with pytest.raises(AnswerError, match='incomplete'):
        locator.locate(locator.template(pair(), BOX), pair(), BOX)
