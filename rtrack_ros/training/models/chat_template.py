"""The chat template that trained models carry: it renders what the engines send."""

from typing import Final

_SYSTEM: Final = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nSYSTEM<|im_end|>\n{% endif %}")
_START: Final = "{% if message['role'] == 'assistant' %}START{% endif %}"
_MESSAGES: Final = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\nBEFORE"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' or 'image' in part %}"
    '<|vision_start|><|image_pad|><|vision_end|>'
    "{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
    '{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\nSTART{% endif %}')


def chat_template(system: str = '', answer_start: str = '') -> str:
    """Return a Jinja template that renders a prompt as ``engines.chat.chat_text`` does.

    Args:
        system: System message where a conversation has none of its own; empty for none.
        answer_start: What stands before every answer, such as a closed thought.
    """
    first = _SYSTEM.replace('SYSTEM', system) if system else ''
    rest = _MESSAGES.replace('BEFORE', _START if answer_start else '')
    return first + rest.replace('START', answer_start)
