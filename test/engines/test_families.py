import pytest

from rtrack_ros.engines.base import TASKS, EngineError
from rtrack_ros.engines.families import FAMILIES, find_family, recognise_family
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.language.coordinates import BBOX_PROTOCOLS
from rtrack_ros.language.prompts import STYLES


@pytest.mark.parametrize(('model', 'family'), [
    ('rtrack-nano', 'rtrack-nano'), ('/opt/models/rtrack-nano/', 'rtrack-nano'),
    ('rtrack_nano-q8_0.gguf', 'rtrack-nano'),
    ('Qwen/Qwen2.5-VL-3B-Instruct', 'qwen2_5_vl'),
    ('Qwen/Qwen2.5-VL-7B-Instruct-AWQ', 'qwen2_5_vl'),
    ('nvidia/Qwen2.5-VL-7B-Instruct-FP8', 'qwen2_5_vl'), ('qwen2_5_vl', 'qwen2_5_vl'),
    ('Qwen/Qwen3-VL-2B-Instruct', 'qwen3_vl'), ('Qwen3-VL-8B-Instruct-Q4_K_M.gguf', 'qwen3_vl'),
    ('qwen3vl', 'qwen3_vl'), ('/qwen3-vl/rtrack-nano', 'rtrack-nano')])
def test_a_model_is_recognised_by_its_name_on_the_hub_and_in_files(model, family):
    assert recognise_family(model).name == family


def test_the_second_name_of_a_model_helps_where_the_first_says_nothing():
    assert recognise_family('our-robot', 'Qwen/Qwen3-VL-4B-Instruct').name == 'qwen3_vl'


@pytest.mark.parametrize('model', [
    'Qwen/Qwen2-VL-7B-Instruct', 'Qwen/Qwen3-4B', 'Qwen/Qwen2.5-7B', 'gpt-4o', ''])
def test_a_model_of_another_family_is_refused_with_the_known_ones(model):
    with pytest.raises(EngineError, match='one of rtrack-nano, qwen2_5_vl, qwen3_vl'):
        recognise_family(model)


def test_an_unknown_family_is_refused_with_the_known_ones():
    with pytest.raises(EngineError, match="'llava' is unknown.* rtrack-nano, qwen2_5_vl, qwen3_v"):
        find_family('llava')


def test_the_facts_of_each_family_are_those_of_its_makers():
    facts = {family.name: (family.bbox_protocol, family.patch_factor, family.prompt)
             for family in FAMILIES}
    assert facts == {'rtrack-nano': ('rel1000', 32, 'brief'),
                     'qwen2_5_vl': ('abs_resized', 28, 'full'),
                     'qwen3_vl': ('rel1000', 32, 'full')}


@pytest.mark.parametrize('family', FAMILIES, ids=lambda family: family.name)
def test_what_a_family_names_exists_and_its_images_are_not_resized_again(family):
    assert family.bbox_protocol in BBOX_PROTOCOLS and family.prompt in STYLES
    assert set(family.tasks) <= set(TASKS)
    assert [side % family.patch_factor for side in family.image_size] == [0, 0]


def test_rtrack_nano_is_known_as_its_own_manifest_says(nano):
    assert find_family('rtrack-nano').manifest('rtrack-nano') == ModelManifest.read(nano)
