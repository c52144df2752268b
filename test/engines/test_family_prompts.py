"""Prompts are, token for token, those of the chat template that a family comes with.

The templates are those that TRL carries for its own checks; the models are tiny and random.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.engines.families import find_family
from rtrack_ros.engines.registry import load_engine
from rtrack_ros.language.grammar import answer_grammar
from rtrack_ros.language.prompts import describe_prompt, ground_prompt, verify_prompt

for package in ('torch', 'transformers', 'trl'):
    pytest.importorskip(package, reason='the train extra is not installed')

PROMPTS = (ground_prompt('the red car', 'full'), verify_prompt('a car', (1, 2, 3, 4), 'full'),
           describe_prompt((1, 2, 3, 4), 'full'))
PICTURES = [np.full((48, 64, 3), 99, np.uint8)] * 2
TOKENS = 12
"""Visual tokens of an image."""


@pytest.fixture(scope='module', params=['qwen2_5_vl', 'qwen3_vl', 'qwen3_5'])
def family(request):
    return find_family(request.param)


@pytest.fixture(scope='module')
def engine(family, tmp_path_factory):
    """A model of the family as it is downloaded: without rtrack.json."""
    from rtrack_ros.training.models.random_qwen import write_random_qwen

    size = (4 * family.patch_factor, 3 * family.patch_factor)
    folder = write_random_qwen(family.name, tmp_path_factory.mktemp(family.name), size, 1 / 16)
    settings = json.loads((folder / 'preprocessor_config.json').read_text())
    settings['size'] = {'shortest_edge': 256 * 256, 'longest_edge': 4096 * 4096}
    (folder / 'preprocessor_config.json').write_text(json.dumps(settings))
    (folder / 'rtrack.json').write_text(f'{{"image_size": [{size[0]}, {size[1]}]}}')
    engine = load_engine('transformers', folder)
    yield engine
    engine.close()


def templates(family):
    """The family's own templates with what must be said to them for an answer without thinking."""
    import trl

    folder = Path(trl.__file__).parent / 'chat_templates'
    names = {'qwen3_5': ('qwen3_5_think', 'qwen3_5_nothink')}.get(family.name, (family.name,))
    return [(folder / f'{name}.jinja').read_text(encoding='utf-8') for name in names]


@pytest.mark.parametrize('prompt', PROMPTS, ids=['ground', 'verify', 'describe'])
def test_tokens_are_those_of_the_familys_template(family, engine, prompt):
    content = [{'type': 'image'} if part is None else {'type': 'text', 'text': part}
               for part in prompt.parts]
    sent = engine.inputs(PICTURES, prompt)['input_ids'][0].tolist()
    tokenizer = engine._tokenizer
    for template in [*templates(family), tokenizer.chat_template]:
        text = tokenizer.apply_chat_template(
            [{'role': 'user', 'content': content}], chat_template=template, tokenize=False,
            add_generation_prompt=True, enable_thinking=False)
        whole = text.replace('<|image_pad|>', '<|image_pad|>' * TOKENS)
        assert tokenizer(whole, add_special_tokens=False).input_ids == sent


def test_a_trained_answer_follows_where_the_engine_waits_for_it(family, engine):
    tokenizer, prompt = engine._tokenizer, ground_prompt('all', 'full')
    question = {'role': 'user', 'content': [{'type': 'text', 'text': 'all'}]}
    answer = {'role': 'assistant', 'content': '[]'}
    asked = tokenizer.apply_chat_template([question], tokenize=False, add_generation_prompt=True)
    taught = tokenizer.apply_chat_template([question, answer], tokenize=False)
    assert taught == f'{asked}[]<|im_end|>\n' and asked.endswith(family.answer_start)
    assert engine.infer(PICTURES, prompt, answer_grammar(1), 80).finish == 'stop'


def test_a_folder_as_downloaded_is_used_as_its_family_says(family, engine):
    model = engine.capabilities()
    assert (model.family, model.bbox_protocol, model.prompt, model.tasks) == (
        family.name, family.bbox_protocol, 'full', ('ground', 'verify', 'describe'))


def test_images_are_seen_in_the_size_of_the_manifest_whatever_the_folders_limits(family, engine):
    grid = engine.inputs(PICTURES, PROMPTS[0])['image_grid_thw']
    assert grid.tolist() == [[1, 6, 8]] * 2
