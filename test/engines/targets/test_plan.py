from pathlib import Path

import pytest

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.targets.checkpoints import open_checkpoint
from rtrack_ros.engines.targets.devices import find_device
from rtrack_ros.engines.targets.plan import Plan, choose_precision, make_plan
from rtrack_ros.engines.targets.servers import trtllm_config
from rtrack_ros.engines.targets.toolkits import assumed_toolkit

OUT = Path('out')
EDGE = ['--host', '127.0.0.1', '--port', '8000', '--served-model-name', 'Qwen3-VL-2B-Instruct',
        '--cache-dir', 'out/cache', '--max-input-len', '2048', '--max-kv-cache-capacity', '4096',
        '--max-batch-size', '1', '--max-image-tokens', '1024',
        '--max-image-tokens-per-image', '512']
TWO_B = 'Qwen/Qwen3-VL-2B-Instruct'


def plan(target: str, model: str = TWO_B, engine: str | None = None, precision: str | None = None,
         version: str = '') -> Plan:
    device = find_device(target)
    route = device.route(engine)
    checkpoint = open_checkpoint(model)
    return make_plan(device, route, checkpoint,
                     choose_precision(device, route, checkpoint, precision),
                     assumed_toolkit(route.engine, version), OUT)


@pytest.mark.parametrize('target, precision', [
    ('jetson-orin', 'int4_awq'), ('jetson-orin-nano', 'int4_awq'), ('jetson-thor', 'nvfp4')])
def test_a_jetson_is_given_a_quantised_checkpoint_and_builds_when_it_first_serves(
        target: str, precision: str) -> None:
    made = plan(target)
    done = f'Qwen3-VL-2B-Instruct-{precision}'
    step, = made.steps
    assert step.command == ['trtedge', 'quantize', 'llm', '--model-dir', TWO_B, '--output-dir',
                            done, '--quantization', precision]
    assert 'x86-64' in step.elsewhere
    assert made.server == ['trtedge', 'serve', done, *EDGE]


@pytest.mark.parametrize('target, precision', [('rtx-30', 'int4_awq'), ('rtx-50', 'nvfp4')])
def test_a_pc_quantises_itself_into_the_folder(target: str, precision: str) -> None:
    made = plan(target)
    done = 'out/checkpoint/Qwen3-VL-2B-Instruct'
    step, = made.steps
    assert step.elsewhere == '' and step.command == [
        'trtedge', 'quantize', 'llm', '--model-dir', TWO_B, '--output-dir', done,
        '--quantization', precision]
    assert made.server == ['trtedge', 'serve', done, *EDGE]


def test_edge_llm_0_11_0_is_called_by_its_older_names() -> None:
    made = plan('rtx-30', version='0.11.0')
    done = 'out/checkpoint/Qwen3-VL-2B-Instruct'
    assert made.steps[0].command == [
        'tensorrt-edgellm-quantize', 'llm', '--model_dir', TWO_B, '--output_dir', done,
        '--quantization', 'int4_awq']
    assert made.server == ['tensorrt-edgellm-serve', done, *EDGE]


def test_ada_goes_to_vllm_which_quantises_while_it_loads() -> None:
    made = plan('rtx-40')
    assert made.steps == () and made.server == [
        'vllm', 'serve', TWO_B, '--served-model-name', 'Qwen3-VL-2B-Instruct', '--host',
        '127.0.0.1', '--port', '8000', '--max-model-len', '4096', '--max-num-seqs', '4',
        '--limit-mm-per-prompt', '{"image": 4, "video": 0}', '--gpu-memory-utilization', '0.9',
        '--quantization', 'fp8']


def trtllm(model: str) -> list[str]:
    return ['trtllm-serve', model, '--host', '127.0.0.1', '--port', '8000', '--max_batch_size',
            '4', '--max_seq_len', '4096', '--config', 'out/trtllm.yaml']


def test_an_a100_serves_16_bits_and_a_hopper_a_checkpoint_of_model_optimizer() -> None:
    assert plan('a100').steps == () and plan('a100').server == trtllm(TWO_B)
    step, = plan('h100').steps
    assert step.command == ['python', 'hf_ptq.py', '--pyt_ckpt_path', TWO_B, '--qformat', 'fp8',
                            '--kv_cache_qformat', 'none', '--export_path',
                            'Qwen3-VL-2B-Instruct-fp8']
    assert 'Model-Optimizer' in step.elsewhere
    assert plan('h100').server == trtllm('Qwen3-VL-2B-Instruct-fp8')


def test_tensorrt_llm_is_told_to_hold_to_grammars_by_the_spelling_of_its_version() -> None:
    assert 'guided_decoding_backend: xgrammar\n' in trtllm_config(plan('a100').served)
    assert plan('a100', version='1.1.0').server[-2:] == [
        '--extra_llm_api_options', 'out/trtllm.yaml']


def test_a_quantised_checkpoint_is_served_as_it_is() -> None:
    made = plan('jetson-orin', 'Qwen/Qwen2.5-VL-3B-Instruct-AWQ')
    assert (made.precision, made.steps) == ('int4_awq', ())
    assert made.server[:3] == ['trtedge', 'serve', 'Qwen/Qwen2.5-VL-3B-Instruct-AWQ']


@pytest.mark.parametrize('target, precision', [
    ('jetson-orin', 'fp8'), ('jetson-orin', 'nvfp4'), ('jetson-orin-nano', 'nvfp4'),
    ('rtx-30', 'fp8'), ('rtx-40', 'nvfp4'), ('a100', 'fp8'), ('h100', 'nvfp4')])
def test_an_illegal_precision_is_refused_with_the_legal_ones_and_the_source(
        target: str, precision: str) -> None:
    with pytest.raises(EngineError, match=f'{precision} is not legal on {target} .*choose one of '
                                          r'.*\(source: '):
        plan(target, precision=precision)


def test_a_checkpoint_of_an_illegal_precision_is_refused() -> None:
    with pytest.raises(EngineError, match='nvfp4 is not legal on jetson-orin'):
        plan('jetson-orin', 'nvidia/Qwen2.5-VL-7B-Instruct-NVFP4')


def test_a_quantised_checkpoint_is_not_quantised_once_more() -> None:
    with pytest.raises(EngineError, match='already quantised to int4_awq; leave out --precision'):
        plan('rtx-40', 'Qwen/Qwen2.5-VL-3B-Instruct-AWQ', precision='fp8')


def test_gptq_is_only_taken_where_it_is() -> None:
    with pytest.raises(EngineError, match='int4_gptq is taken where a checkpoint has it'):
        plan('rtx-30', precision='int4_gptq')


def test_what_will_not_fit_is_said_at_once_with_figures() -> None:
    with pytest.raises(EngineError, match=r'will not fit: 6\.1 GB are needed to run '
                                          r'\(measured .*\), the largest jetson-orin-nano has '
                                          r'8\.0 GB and keeps 2 GB'):
        plan('jetson-orin-nano', 'Qwen/Qwen3-VL-4B-Instruct')


def test_quantising_needs_more_memory_than_running_and_is_counted() -> None:
    made = plan('rtx-30', 'Qwen/Qwen3-VL-8B-Instruct')
    assert made.memory.value == pytest.approx(9.54, abs=0.01)
    assert made.quantising.value == pytest.approx(2 * 8.774 + 2.0, abs=0.01)
    assert plan('jetson-orin', 'Qwen/Qwen3-VL-8B-Instruct').quantising is None


def test_what_fits_a_larger_member_of_the_kind_is_planned() -> None:
    assert plan('rtx-30', 'Qwen/Qwen3-VL-8B-Instruct', 'vllm', 'fp16').memory.value == (
        pytest.approx(21.5, abs=0.1))
