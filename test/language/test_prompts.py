import pytest

from rtrack_ros.language.prompts import (
    STYLES,
    PromptError,
    describe_prompt,
    ground_prompt,
    locate_prompt,
    verify_prompt,
)

BOX = (251.6, 300.2, 400, 900)


def test_the_sentence_comes_before_rgb_and_thermal():
    assert ground_prompt('the red car').parts == (
        'the red car\nRGB:', None, 'Thermal:', None)


@pytest.mark.parametrize('text', ['The  red CAR.', ' the red car ', 'the red car!?'])
def test_case_spaces_and_closing_punctuation_carry_no_meaning(text):
    assert ground_prompt(text) == ground_prompt('the red car')


def test_braces_of_a_sentence_are_only_text():
    assert '{sentence}{0}' in str(ground_prompt('{sentence}{0}').parts[0])


def test_an_unknown_style_is_refused_with_the_known_ones():
    with pytest.raises(PromptError, match='brief'):
        ground_prompt('the car', 'florid')


def test_every_other_task_begins_with_a_word_of_its_own_and_the_box_in_whole_numbers():
    assert verify_prompt('The RED car.', BOX).parts == (
        'verify [252, 300, 400, 900] the red car\nRGB:', None, 'Thermal:', None)
    assert describe_prompt(BOX).parts == (
        'describe [252, 300, 400, 900]\nRGB:', None, 'Thermal:', None)
    assert locate_prompt(BOX).parts == (
        'locate [252, 300, 400, 900]\nRGB:', None, 'Thermal:', None, 'RGB:', None, 'Thermal:',
        None)


@pytest.mark.parametrize('style', STYLES)
def test_every_style_names_the_box_once_and_has_a_place_for_every_image(style):
    prompts = {verify_prompt('a car', BOX, style): 2, describe_prompt(BOX, style): 2,
               locate_prompt(BOX, style): 4}
    for prompt, images in prompts.items():
        text = ''.join(part or '' for part in prompt.parts)
        assert text.count('[252, 300, 400, 900]') == 1 and prompt.images == images
        assert '{' not in text.replace('{"bbox_2d"', '')
    assert len(prompts) == 3


def test_every_task_refuses_an_unknown_style():
    for ask in (lambda: verify_prompt('a', BOX, 'florid'), lambda: describe_prompt(BOX, 'florid'),
                lambda: locate_prompt(BOX, 'florid')):
        with pytest.raises(PromptError, match='brief'):
            ask()


def test_the_prompt_of_a_general_model_says_how_to_answer():
    text = str(ground_prompt('the red car', 'full').parts[-1])
    assert 'the red car' in text and '[{' not in text.split('list of')[0] and '"bbox_2d"' in text


@pytest.mark.parametrize('make', [
    lambda text: ground_prompt(text, 'full'), lambda text: verify_prompt(text, BOX, 'full'),
    lambda text: describe_prompt(BOX, 'full'), lambda text: locate_prompt(BOX, 'full')],
    ids=['ground', 'verify', 'describe', 'locate'])
def test_a_general_model_sees_the_images_before_anything_that_differs(make):
    first, second = make('the red car').parts, make('all people').parts
    assert first[:4] == second[:4] == ('RGB:', None, 'Thermal:', None)
    assert first[-1] is not None and first[:-1] == second[:-1]
