import base64

import cv2
import numpy as np
import pytest

from rtrack_ros.engines.base import EngineError, Prompt
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.engines.registry import load_engine
from rtrack_ros.engines.server.engine import ServerEngine
from rtrack_ros.frames import FramePair
from rtrack_ros.language.grounder import Grounder
from rtrack_ros.language.queries import Query

PROMPT = Prompt(('find\nRGB:', None, 'Thermal:', None))


def picture(width=640, height=480):
    return np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)


def images_of(body):
    """The pixels of the images in a request, RGB."""
    urls = [part['image_url']['url'] for part in body['messages'][0]['content']
            if part['type'] == 'image_url']
    raw = [np.frombuffer(base64.b64decode(url.partition(',')[2]), np.uint8) for url in urls]
    return [cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB) for data in raw]


def test_the_registry_gives_the_engine_of_a_url_whatever_threads_are_asked_for(play):
    for name in ('server', 'auto'):
        engine = load_engine(name, play().url, threads=2, niceness=5)
        assert engine.capabilities().name == 'server'
        engine.close()


def test_a_folder_is_no_server():
    with pytest.raises(EngineError, match='choose another engine for a model folder'):
        load_engine('server', 'models/rtrack-nano')


def test_what_is_known_of_a_model_follows_from_its_name(play, say):
    server = play(say.probe('vllm'), models=[{
        'id': 'Qwen/Qwen2.5-VL-3B-Instruct', 'owned_by': 'vllm'}])
    engine = ServerEngine(server.url)
    found = engine.capabilities()
    assert (found.bbox_protocol, found.image_size, found.prompt, found.labels) == (
        'abs_resized', (644, 476), 'full', ())
    assert found.tasks == ('ground', 'verify', 'describe') and found.shares_images
    engine.close()


@pytest.mark.parametrize(('model', 'thinks'), [
    ('Qwen/Qwen3.5-4B', True), ('Qwen/Qwen3-VL-2B-Instruct', False)])
def test_the_family_says_whether_a_model_is_told_not_to_think(model, thinks, play, say):
    server = play(say.probe('vllm'), say.answer('[]', dialect='vllm'),
                  models=[{'id': model, 'owned_by': 'vllm'}])
    engine = ServerEngine(server.url)
    engine.infer([], Prompt(('find',)), None, 9)
    assert ('chat_template_kwargs' in server.bodies[-1]) == thinks
    engine.close()


def test_what_is_known_of_a_model_follows_from_where_it_was_loaded(play, say):
    server = play(say.probe('vllm'), models=[{
        'id': 'robot', 'owned_by': 'vllm', 'root': 'Qwen/Qwen3-VL-2B-Instruct'}])
    engine = ServerEngine(server.url)
    assert engine.capabilities().bbox_protocol == 'rel1000'
    engine.close()


def test_a_model_of_no_known_family_is_refused_until_one_is_named(play, say):
    server = play(say.probe('vllm'), models=[{'id': 'robot', 'owned_by': 'vllm'}])
    with pytest.raises(EngineError, match='set family to one of rtrack-nano, qwen2_5_vl, qwen3_v'):
        ServerEngine(server.url)
    with pytest.raises(EngineError, match="family 'llava' is unknown"):
        ServerEngine(server.url, family='llava')
    engine = ServerEngine(server.url, family='qwen3_vl')
    assert engine.capabilities().image_size == (640, 480)
    engine.close()


def test_the_manifest_of_a_model_goes_before_its_family(play, say, tmp_path):
    ModelManifest('mine', 'rel1000', (320, 256), ('dog',), 'full', tasks=('ground',)).write(
        tmp_path)
    server = play(say.probe('vllm'), models=[{'id': 'robot', 'owned_by': 'vllm'}])
    engine = ServerEngine(server.url, manifest=tmp_path)
    found = engine.capabilities()
    assert (found.model, found.image_size, found.labels) == ('mine', (320, 256), ('dog',))
    engine.close()


def test_a_size_that_the_server_would_change_is_refused(play):
    with pytest.raises(EngineError, match='images of 300 x 256 .*multiples of 32'):
        ServerEngine(play().url, image_size=(300, 256))


@pytest.mark.parametrize('size', [(256, 192), (320, 256), (640, 480)])
def test_the_model_is_shown_the_size_that_is_set_and_no_other(size, engine_on, say):
    used = engine_on(say.answer('[]'), image_size=size)
    used.engine.infer([picture(), picture(160, 120)], PROMPT, None, 16)
    assert [image.shape for image in images_of(used.server.bodies[-1])] == [
        (size[1], size[0], 3)] * 2


def test_images_come_in_the_order_of_the_prompt(engine_on, say):
    used = engine_on(say.answer('[]'))
    first, second = picture(256, 192), 255 - picture(256, 192)
    used.engine.infer([first, second], PROMPT, None, 16)
    seen = images_of(used.server.bodies[-1])
    assert np.array_equal(seen[0], first) and np.array_equal(seen[1], second)


def test_images_of_a_pair_are_encoded_once_for_all_its_sentences(engine_on, say, monkeypatch):
    used = engine_on(say.answer('[]'))
    encoded = []
    encode = cv2.imencode
    monkeypatch.setattr(cv2, 'imencode', lambda *args: (encoded.append(1), encode(*args))[1])
    grounder = Grounder(used.engine)
    pair = FramePair(1, picture(), None)
    for index in range(10):
        grounder.ground(pair, Query(f'q{index}', f'sentence {index}', 1))
    assert len(encoded) == 2 and len(used.server.bodies) == 11
    grounder.ground(FramePair(2, picture(), None), Query('q', 'another', 1))
    assert len(encoded) == 4


def test_images_that_do_not_fit_the_prompt_are_refused(engine_on, say):
    used = engine_on(say.answer('[]'))
    with pytest.raises(EngineError, match='places for 2 images and got 1'):
        used.engine.infer([picture()], PROMPT, None, 16)


def test_closing_twice_is_no_harm(engine_on):
    used = engine_on()
    used.engine.close()
    used.engine.close()


def test_a_reply_tells_how_large_its_question_was_as_it_was_sent(engine_on, say):
    used = engine_on(say.answer('well'))
    reply = used.engine.infer([picture(256, 192), picture(256, 192)], PROMPT, None, 16)
    sent = int(used.server.asked[-1].headers['Content-Length'])
    assert reply.sent_bytes == sent > 100_000
