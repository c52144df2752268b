import json

import pytest

from rtrack_ros.engines.base import TASKS, EngineError
from rtrack_ros.engines.families import (
    FAMILIES,
    find_facts,
    find_family,
    folder_family,
    read_manifest,
    recognise_family,
)
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
    ('qwen3vl', 'qwen3_vl'), ('Qwen/Qwen3.5-2B', 'qwen3_5'), ('Qwen3.5-0.8B-Q8_0.gguf', 'qwen3_5'),
    ('/qwen3-vl/rtrack-nano', 'rtrack-nano')])
def test_a_model_is_recognised_by_its_name_on_the_hub_and_in_files(model, family):
    assert recognise_family(model).name == family


def test_the_second_name_of_a_model_helps_where_the_first_says_nothing():
    assert recognise_family('our-robot', 'Qwen/Qwen3-VL-4B-Instruct').name == 'qwen3_vl'


@pytest.mark.parametrize('model', [
    'Qwen/Qwen2-VL-7B-Instruct', 'Qwen/Qwen3-4B', 'Qwen/Qwen2.5-7B', 'gpt-4o', ''])
def test_a_model_of_another_family_is_refused_with_the_known_ones(model):
    with pytest.raises(EngineError, match='one of rtrack-nano, qwen2_5_vl, qwen3_vl, qwen3_5$'):
        recognise_family(model)


def test_an_unknown_family_is_refused_with_the_known_ones():
    with pytest.raises(EngineError, match="'llava' is unknown.* of rtrack-nano, qwen2_5_vl"):
        find_family('llava')


def test_the_facts_of_each_family_are_those_of_its_makers():
    facts = {family.name: (family.bbox_protocol, family.patch_factor, family.prompt)
             for family in FAMILIES}
    assert facts == {'rtrack-nano': ('rel1000', 32, 'brief'),
                     'qwen2_5_vl': ('abs_resized', 28, 'full'),
                     'qwen3_vl': ('rel1000', 32, 'full'),
                     'qwen3_5': ('rel1000', 32, 'full')}


@pytest.mark.parametrize('family', FAMILIES, ids=lambda family: family.name)
def test_what_a_family_names_exists_and_its_images_are_not_resized_again(family):
    assert family.bbox_protocol in BBOX_PROTOCOLS and family.prompt in STYLES
    assert set(family.tasks) <= set(TASKS)
    assert [side % family.patch_factor for side in family.image_size] == [0, 0]


def test_rtrack_nano_is_known_as_its_own_manifest_says(nano):
    assert find_family('rtrack-nano').manifest('rtrack-nano') == read_manifest(nano)


@pytest.mark.parametrize(('family', 'camera', 'size'), [
    ('qwen2_5_vl', (640, 480), (644, 476)), ('qwen2_5_vl', (640, 512), (644, 504)),
    ('qwen3_vl', (640, 480), (640, 480)), ('qwen3_5', (640, 512), (640, 512)),
    ('qwen3_vl', (320, 256), (320, 256)), ('qwen3_vl', (1280, 720), (768, 416)),
    ('qwen2_5_vl', (1920, 1080), (756, 420)), ('rtrack-nano', (1280, 720), (256, 192))])
def test_images_are_shown_in_whole_tokens_near_the_cameras_size(family, camera, size):
    assert find_family(family).image_size_for(camera) == size


def folder_of(tmp_path, model_type, own=None):
    folder = tmp_path / 'my-model'
    folder.mkdir()
    (folder / 'config.json').write_text(json.dumps({'model_type': model_type}))
    if own is not None:
        (folder / 'rtrack.json').write_text(json.dumps(own))
    return folder


@pytest.mark.parametrize(('model_type', 'family'), [
    ('qwen2_5_vl', 'qwen2_5_vl'), ('qwen3_vl', 'qwen3_vl'), ('qwen3_vl_moe', 'qwen3_vl'),
    ('qwen3_5', 'qwen3_5'), ('qwen3_5_moe', 'qwen3_5')])
def test_a_folder_without_manifest_is_known_by_its_config(tmp_path, model_type, family):
    folder = folder_of(tmp_path, model_type)
    assert read_manifest(folder) == find_family(family).manifest('my-model')


def test_what_comes_with_qwen2_5_vl_is_said_nowhere_in_the_folder(tmp_path):
    assert read_manifest(folder_of(tmp_path, 'qwen2_5_vl')) == ModelManifest(
        'my-model', 'abs_resized', (644, 476), prompt='full',
        tasks=('ground', 'verify', 'describe'), family='qwen2_5_vl',
        system='You are a helpful assistant.')


def test_a_manifest_overrides_its_family_key_by_key(tmp_path):
    folder = folder_of(tmp_path, 'qwen2_5_vl', {'image_size': [448, 336], 'system': ''})
    read = read_manifest(folder)
    assert (read.image_size, read.system) == ((448, 336), '')
    assert (read.bbox_protocol, read.prompt, read.name) == ('abs_resized', 'full', 'my-model')


def test_a_size_that_would_be_resized_again_is_refused(tmp_path):
    folder = folder_of(tmp_path, 'qwen3_vl', {'image_size': [644, 476]})
    with pytest.raises(EngineError, match='644 x 476 would be resized once more.*multiples of 32'):
        read_manifest(folder)


@pytest.mark.parametrize('own', [None, {'name': 'x', 'bbox_protocol': 'rel1000'}])
def test_a_folder_of_an_unknown_family_is_refused_with_the_known_ones(tmp_path, own):
    with pytest.raises(EngineError, match="'llava', .* one of rtrack-nano, qwen2_5_vl, qwen3_vl, "
                                          'qwen3_5, or say it in rtrack.json'):
        read_manifest(folder_of(tmp_path, 'llava', own))


def test_a_folder_of_an_unknown_family_may_say_everything_itself(tmp_path):
    own = {'name': 'x', 'bbox_protocol': 'rel1000', 'image_size': [333, 222]}
    folder = folder_of(tmp_path, 'llava', own)
    assert folder_family(folder) is None
    assert read_manifest(folder) == ModelManifest('x', 'rel1000', (333, 222))


@pytest.mark.parametrize(('own', 'family'), [
    (None, 'qwen3_vl'), ({'name': 'rtrack-nano-mine'}, 'rtrack-nano'),
    ({'name': 'mine'}, 'qwen3_vl'), ({'name': 'mine', 'family': 'rtrack-nano'}, 'rtrack-nano'),
    ({'name': 'qwen2.5-vl-look-alike'}, 'qwen3_vl')])
def test_one_architecture_with_two_families_is_told_apart_by_the_manifest(tmp_path, own, family):
    assert folder_family(folder_of(tmp_path, 'qwen3_vl', own)).name == family


def test_a_manifest_that_names_an_unknown_family_is_refused(tmp_path):
    with pytest.raises(EngineError, match="'llava' is unknown; choose one of"):
        read_manifest(folder_of(tmp_path, 'qwen3_vl', {'family': 'llava'}))


def test_a_folder_without_config_and_manifest_is_refused_with_an_example(tmp_path):
    with pytest.raises(EngineError, match='"bbox_protocol": "rel1000"'):
        read_manifest(tmp_path)


@pytest.fixture
def told(tmp_path):
    """A folder whose rtrack.json names a family and an image size."""
    (tmp_path / 'rtrack.json').write_text('{"family": "qwen2_5_vl", "image_size": [280, 196]}')
    return tmp_path


def test_the_family_is_the_named_one_else_that_of_the_folder_else_that_of_the_name(told):
    names = ('org/Qwen3-VL-2B-Instruct',)
    assert find_facts('q', names).family.name == 'qwen3_vl'
    assert find_facts('q', names, folder=told).family.name == 'qwen2_5_vl'
    assert find_facts('q', names, 'rtrack-nano').family.name == 'rtrack-nano'


def test_facts_are_those_of_the_family_then_of_the_folder_then_what_is_asked_for(told):
    assert find_facts('q', ('x',), 'qwen2_5_vl').manifest.image_size == (644, 476)
    assert find_facts('q', ('x',), folder=told).manifest.image_size == (280, 196)
    assert find_facts('q', ('x',), '', told, (56, 84)).manifest.image_size == (56, 84)
    with pytest.raises(EngineError, match='multiples of 28'):
        find_facts('q', ('x',), '', told, (64, 64))


def test_a_model_of_no_family_needs_a_folder_that_says_everything(tmp_path):
    with pytest.raises(EngineError, match='is of no family that is known here'):
        find_facts('q', ('mystery',))
    (tmp_path / 'rtrack.json').write_text(
        '{"name": "mystery", "bbox_protocol": "rel1000", "image_size": [64, 48]}')
    facts = find_facts('q', ('mystery',), folder=tmp_path)
    assert facts.family is None and facts.manifest.image_size == (64, 48)
