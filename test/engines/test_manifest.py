import json
from dataclasses import replace

import pytest

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.manifest import ModelManifest

NANO = ModelManifest('nano', 'rel1000', (320, 256), ('person', 'car'), 'brief', 12)


def test_what_is_written_is_read(tmp_path):
    NANO.write(tmp_path)
    assert ModelManifest.read(tmp_path) == NANO
    closer = replace(NANO, crops=True, refine=True, accuracy=AnswerAccuracy(0.7, 0.1, 0.04, 0.1),
                     tasks=('ground', 'locate', 'verify', 'describe'))
    closer.write(tmp_path)
    assert ModelManifest.read(tmp_path) == closer


def test_what_may_be_left_out_has_defaults(tmp_path):
    (tmp_path / 'rtrack.json').write_text(
        '{"name": "x", "bbox_protocol": "abs_resized", "image_size": [644, 476]}')
    read = ModelManifest.read(tmp_path)
    assert read == ModelManifest('x', 'abs_resized', (644, 476)) and read.tasks == ('ground',)


def test_the_name_that_refine_had_before_is_read(tmp_path):
    (tmp_path / 'rtrack.json').write_text('{"name": "x", "bbox_protocol": "rel1000", '
                                          '"image_size": [64, 64], "second_look": true}')
    assert ModelManifest.read(tmp_path).refine


@pytest.mark.parametrize('spoil', [
    lambda facts: facts.pop('name'), lambda facts: facts.pop('bbox_protocol'),
    lambda facts: facts.update(image_size=[320]), lambda facts: facts.update(image_size='320x256'),
    lambda facts: facts.update(image_size=[0, 256]), lambda facts: facts.update(labels=3),
    lambda facts: facts.update(crops='yes'), lambda facts: facts.update(refine=1),
    lambda facts: facts.update(tasks='locate'), lambda facts: facts.update(accuracy='good'),
    lambda facts: facts.update(accuracy={'detection_probability': 1.5}),
    lambda facts: facts.update(accuracy={'recall': 0.5}),
    lambda facts: facts.update(tasks=['fly']), lambda facts: facts.update(tasks=[])])
def test_a_manifest_that_does_not_say_what_it_must_is_refused(tmp_path, spoil):
    NANO.write(tmp_path)
    facts = json.loads((tmp_path / 'rtrack.json').read_text())
    spoil(facts)
    (tmp_path / 'rtrack.json').write_text(json.dumps(facts))
    with pytest.raises(EngineError, match='write one such as'):
        ModelManifest.read(tmp_path)


@pytest.mark.parametrize('content', ['', '[]', '"nano"', '{'])
def test_a_file_that_is_no_manifest_is_refused(tmp_path, content):
    (tmp_path / 'rtrack.json').write_text(content)
    with pytest.raises(EngineError, match='not a model manifest'):
        ModelManifest.read(tmp_path)


def test_a_model_without_manifest_is_refused_with_an_example(tmp_path):
    with pytest.raises(EngineError, match='"bbox_protocol": "rel1000"'):
        ModelManifest.read(tmp_path)


@pytest.mark.parametrize('text', [
    '[' * 100_000, '{"name": "x", "bbox_protocol": "rel1000", "image_size": [1e999, 3]}',
    '{"name": "x", "bbox_protocol": "rel1000", "image_size": [1000000000, 1000000000]}',
    '{"name": "x", "bbox_protocol": "rel1000", "image_size": [8, 8], "max_boxes": 1000000000}',
    '{"name": "x", "bbox_protocol": "rel1000", "image_size": [8, 8], "max_boxes": -1}'])
def test_a_manifest_of_others_is_a_named_error(tmp_path, text):
    (tmp_path / 'rtrack.json').write_text(text)
    with pytest.raises(EngineError, match=r'rtrack\.json is not a model manifest'):
        ModelManifest.read(tmp_path)


def test_a_manifest_that_never_ends_is_not_read(tmp_path):
    (tmp_path / 'rtrack.json').symlink_to('/dev/zero')
    with pytest.raises(EngineError, match='no regular file'):
        ModelManifest.read(tmp_path)


def test_an_address_in_place_of_a_folder_is_told_how_a_server_is_named(tmp_path):
    with pytest.raises(EngineError, match='the URL of a server with its http://'):
        ModelManifest.read(tmp_path / '127.0.0.1:8000')
