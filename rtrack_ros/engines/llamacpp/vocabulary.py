"""The vocabulary of rtrack-nano in the words of llama.cpp."""

from typing import Any, Final

import gguf

from rtrack_ros.engines.base import EngineError

_PRE_TOKENIZER: Final = 'gpt-2'
"""The one of llama.cpp that cuts a prompt where rtrack-nano's own does, but for the comma."""

_COMMA: Final = ', '
_COMMA_IN_BYTES: Final = ',Ġ'


def write_vocabulary(writer: 'gguf.GGUFWriter', tokenizer: dict[str, Any], size: int) -> None:
    """Write the tokens, their kinds and their merges.

    llama.cpp cannot be told where a tokenizer cuts a text into words, only which of those it knows
    does. rtrack-nano keeps a comma and the space behind it together; none that llama.cpp knows
    does. A token that is marked as the user's own is looked for before any cutting: so the comma
    with its space is marked, and prompts with boxes in them give the tokens of training.

    Args:
        writer: Takes the fields.
        tokenizer: Content of ``tokenizer.json``.
        size: Number of tokens that the model has, those without a text included.

    Raises:
        EngineError: the tokenizer is not one of rtrack-nano's kind.
    """
    words: dict[str, int] = tokenizer['model']['vocab']
    if _COMMA_IN_BYTES not in words:
        raise EngineError('the tokenizer is not one of rtrack-nano and would cut texts elsewhere '
                          'in llama.cpp; convert a model with a tokenizer of its own with '
                          'convert_hf_to_gguf.py of llama.cpp')
    texts = [f'[PAD{number}]' for number in range(size)]
    kinds = [gguf.TokenType.UNUSED] * size
    for text, number in words.items():
        texts[number], kinds[number] = text, gguf.TokenType.NORMAL
    for token in tokenizer['added_tokens']:
        texts[token['id']], kinds[token['id']] = token['content'], gguf.TokenType.CONTROL
    comma = words[_COMMA_IN_BYTES]
    texts[comma], kinds[comma] = _COMMA, gguf.TokenType.USER_DEFINED
    writer.add_tokenizer_model('gpt2')  # llama.cpp's name of byte-level BPE
    writer.add_tokenizer_pre(_PRE_TOKENIZER)
    writer.add_token_list(texts)
    writer.add_token_types(kinds)
    writer.add_token_merges([merge if isinstance(merge, str) else ' '.join(merge)
                             for merge in tokenizer['model']['merges']])
