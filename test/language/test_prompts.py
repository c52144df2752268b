import pytest

from rtrack_ros.language.prompts import PromptError, ground_prompt


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


def test_a_general_model_is_told_how_to_answer():
    text = str(ground_prompt('the red car', 'full').parts[0])
    assert 'the red car' in text and '[{' not in text.split('list of')[0] and '"bbox_2d"' in text
