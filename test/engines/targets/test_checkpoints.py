import json
from pathlib import Path

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.checkpoints import checkpoint_digest, open_checkpoint


def test_a_folder_is_counted_from_the_headers_of_its_files(checkpoint: Path) -> None:
    opened = open_checkpoint(str(checkpoint))
    assert (opened.weights.layers, opened.weights.embedding, opened.weights.vision) == (
        5000, 10_000, 600)
    assert opened.weight_gb('fp16') == pytest.approx(2 * 15_600 / 1e9)
    assert opened.weight_gb('fp8') == pytest.approx((5000 + 2 * 10_600) / 1e9)


def test_the_head_is_read_for_every_token_and_the_images_are_not(checkpoint: Path) -> None:
    assert open_checkpoint(str(checkpoint)).read_per_token_gb('fp16') == pytest.approx(
        2 * 15_000 / 1e9)


@pytest.mark.parametrize('config, precision', [
    ({'quant_method': 'awq', 'bits': 4}, 'int4_awq'), ({'quant_method': 'gptq'}, 'int4_gptq'),
    ({'quant_method': 'modelopt', 'quant_algo': 'NVFP4'}, 'nvfp4'),
    ({'quant_method': 'fp8'}, 'fp8')])
def test_a_quantised_checkpoint_says_so_and_its_size_is_that_of_its_files(
        tmp_path: Path, write_checkpoint, config: dict, precision: str) -> None:
    opened = open_checkpoint(str(write_checkpoint(tmp_path / 'm', config)))
    assert opened.precision == precision
    assert opened.weight_gb(precision) == pytest.approx(31_200 / 1e9)


def test_what_modelopt_says_in_a_file_of_its_own_counts(checkpoint: Path) -> None:
    (checkpoint / 'hf_quant_config.json').write_text(
        json.dumps({'quantization': {'quant_algo': 'W4A16_AWQ'}}))
    assert open_checkpoint(str(checkpoint)).precision == 'int4_awq'


def test_an_unknown_quantisation_is_refused_with_those_that_are_known(
        tmp_path: Path, write_checkpoint) -> None:
    folder = write_checkpoint(tmp_path / 'm', {'quant_method': 'bitsandbytes'})
    with pytest.raises(EngineError, match="'bitsandbytes', which is not known here; .*int4_awq"):
        open_checkpoint(str(folder))


def test_published_models_are_known_by_name_and_others_are_not() -> None:
    awq = open_checkpoint('Qwen/Qwen2.5-VL-3B-Instruct-AWQ')
    assert (awq.precision, awq.listed_as) == ('int4_awq', 'Qwen2.5-VL-3B')
    # Published: 2.17 GB are read for a token with int4 layers and a 16-bit head.
    assert awq.read_per_token_gb('int4_awq') == pytest.approx(2.17, abs=0.01)
    plain = open_checkpoint('Qwen/Qwen2.5-VL-3B-Instruct')
    assert plain.read_per_token_gb('int4_awq') == awq.read_per_token_gb('int4_awq')
    assert open_checkpoint('somebody/secret-9B').weights is None


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r'holds no config\.json'):
        open_checkpoint(str(tmp_path))


def test_a_cut_file_is_named_with_the_remedy(checkpoint: Path) -> None:
    (checkpoint / 'model.safetensors').write_bytes(b'\xff' * 20)
    with pytest.raises(EngineError, match='not readable .* fetch the checkpoint again'):
        open_checkpoint(str(checkpoint))


def test_a_digest_tells_other_weights_and_other_settings_apart(checkpoint: Path) -> None:
    before = checkpoint_digest(checkpoint)
    assert checkpoint_digest(checkpoint) == before
    weights = bytearray((checkpoint / 'model.safetensors').read_bytes())
    weights[-1] ^= 1
    (checkpoint / 'model.safetensors').write_bytes(weights)
    changed = checkpoint_digest(checkpoint)
    (checkpoint / 'config.json').write_text('{}')
    assert len({before, changed, checkpoint_digest(checkpoint)}) == 3
