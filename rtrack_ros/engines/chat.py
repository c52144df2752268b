"""How a prompt becomes the one string that Qwen-VL models were trained to continue."""

import re

from rtrack_ros.engines.base import Prompt

IMAGE_PLACE = '<|vision_start|><|image_pad|><|vision_end|>'

# Markers that a tokenizer or a runtime would obey instead of read.
_MARKER = re.compile(r'<(?=\||ov_genai_)')


def plain_text(text: str) -> str:
    """Return ``text`` with every control marker such as ``<|im_end|>`` made harmless."""
    return _MARKER.sub('< ', text)


def chat_text(prompt: Prompt, system: str = '', answer_start: str = '') -> str:
    """Return the prompt as one ChatML turn that ends where the answer begins.

    It equals what the chat template of the model's family renders for a single user message;
    sentences of strangers cannot close the turn or claim an image.

    Args:
        prompt: Text and image places.
        system: System message before it; empty for none.
        answer_start: What the template writes before the answer, such as a closed thought.
    """
    content = ''.join(IMAGE_PLACE if part is None else plain_text(part) for part in prompt.parts)
    before = f'<|im_start|>system\n{system}<|im_end|>\n' if system else ''
    return (f'{before}<|im_start|>user\n{content}<|im_end|>\n'
            f'<|im_start|>assistant\n{answer_start}')
