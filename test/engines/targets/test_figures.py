import pytest

from rtrack_ros.engines.targets.checkpoints import open_checkpoint
from rtrack_ros.engines.targets.devices import find_device
from rtrack_ros.engines.targets.figures import expected_answer, expected_memory

TWO_B = open_checkpoint('Qwen/Qwen3-VL-2B-Instruct')
FOUR_B = open_checkpoint('Qwen/Qwen3-VL-4B-Instruct')


def test_what_the_vendor_measured_is_taken_and_named() -> None:
    memory = expected_memory(find_device('jetson-orin'), TWO_B, 'int4_awq', 'edgellm')
    assert memory.value == 4.554 and memory.source.startswith('measured on AGX Orin 64 GB: ')


def test_a_board_without_a_figure_takes_that_of_one_with_the_same_gpu() -> None:
    memory = expected_memory(find_device('jetson-orin-nano'), FOUR_B, 'int4_awq', 'edgellm')
    assert memory.value == 6.076 and 'AGX Orin' in memory.source


def test_other_memory_is_derived_from_the_weights() -> None:
    memory = expected_memory(find_device('rtx-30'), FOUR_B, 'int4_awq', 'edgellm')
    assert memory.value == pytest.approx(0.56 * 3.63 + 2 * (0.389 + 0.41) + 2.0, abs=0.01)
    assert memory.source.startswith('derived: ') and 'model card' in memory.source


def test_vllm_needs_room_for_16_bits_when_it_quantises_while_loading() -> None:
    memory = expected_memory(find_device('rtx-40'), FOUR_B, 'fp8', 'vllm')
    assert memory.value == pytest.approx(2 * 4.429 + 4.0, abs=0.01)


def test_an_answer_is_derived_from_the_rates_of_the_vendor() -> None:
    answer = expected_answer(find_device('jetson-orin'), TWO_B, 'int4_awq', 'edgellm')
    # 600 tokens of images at 36.2 ms for 265, 680 of prompt at 45.7 for 292, 39 at 98.9 a second
    assert answer.value == pytest.approx(82.0 + 106.4 + 394.3, abs=0.5)
    assert 'derived from rates on AGX Orin' in answer.source


def test_without_rates_writing_is_derived_from_bandwidth_and_says_what_is_missing() -> None:
    answer = expected_answer(find_device('rtx-30'), FOUR_B, 'int4_awq', 'edgellm')
    assert answer.value == pytest.approx(39 * 2.811 / (936 * 0.7) * 1e3, abs=0.5)
    assert 'no figure for the images' in answer.text and answer.source.startswith('derived: ')


def test_a_fast_gpu_is_not_believed_to_write_faster_than_kernels_start() -> None:
    assert expected_answer(find_device('h100'), TWO_B, 'fp8', 'trtllm').value == pytest.approx(
        39 / 400 * 1e3)


def test_nothing_is_made_up_for_an_unknown_model() -> None:
    unknown = open_checkpoint('somebody/secret-9B')
    assert expected_memory(find_device('a100'), unknown, 'fp16', 'trtllm').value is None
    assert expected_answer(find_device('a100'), unknown, 'fp16', 'trtllm').text == 'not known'
