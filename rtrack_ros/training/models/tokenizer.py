"""rtrack-nano's tokenizer: byte-level BPE in which a word, a number or a JSON piece is a token.

A box costs ten tokens, a coordinate one. Words outside the vocabulary fall back to bytes, so any
text can be read. BPE is used because it is what converts to OpenVINO without loss.
"""

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from rtrack_ros.simulation.expressions import ABSENT_NOUNS, NOUNS
from rtrack_ros.simulation.palette import ABSENT_COLOURS, CLOTHES

SPECIAL_TOKENS = ('<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|vision_start|>',
                  '<|vision_end|>', '<|image_pad|>', '<|video_pad|>')
NUMBERS = 1001
"""Coordinates 0 to 1000 are one token each."""

_PIECES = (r'\[\{"bbox_2d": \[', r'"\}, \{"bbox_2d": \[', r'\], "label": "', r'"\}\]', r'\[\]',
           r', ')
_PATTERN = '|'.join((*_PIECES, r' ?[A-Za-z]+', r'[0-9]+', r'\s+', r'[^A-Za-z0-9\s]'))

_WORDS = (
    'the a an any all every each everyone anybody somebody who that which is are and or not '
    'no in on at of to with wearing dressed near next by behind before beside between from '
    'under jacket top shirt coat hat trousers bag backpack umbrella walking running standing '
    'still driving riding parked moving stopped coming going left right leftmost rightmost '
    'nearest farthest closest side half middle centre front back far away close tall small '
    'big dark light coloured one two three four group man woman child user assistant system '
    'find follow track watch keep eyes RGB Thermal Yes No yes no smoke night object objects '
    'thing things animal them him her it other second first third last').split()

ANSWER = ('[{"bbox_2d": [0, 0, 1, 1], "label": "person"}, '
          '{"bbox_2d": [0, 0, 1, 1], "label": "car"}]')


def vocabulary_words() -> list[str]:
    """Return the words that are one token each, with and without a leading space."""
    words = {*_WORDS, *CLOTHES, *ABSENT_COLOURS, *ABSENT_NOUNS}
    for forms in NOUNS.values():
        words |= {word for form in forms for phrase in form for word in phrase.split()}
    return sorted(words)


def _corpus() -> Iterable[str]:
    yield from (str(number) for number in range(NUMBERS))
    for word in vocabulary_words():
        yield word
        yield f' {word}'
    yield from (ANSWER, '[]', '\n', ':', '.')


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer; always the same, as it is trained on a fixed list of words."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(_PATTERN), 'isolated'),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=20000, min_frequency=0, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  special_tokens=list(SPECIAL_TOKENS))
    bpe.train_from_iterator(_corpus(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token='<|im_end|>', pad_token='<|endoftext|>',
        extra_special_tokens={'image_token': '<|image_pad|>', 'video_token': '<|video_pad|>',
                              'vision_start_token': '<|vision_start|>',
                              'vision_end_token': '<|vision_end|>'})


def number_token_ids(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Return the token id of each coordinate 0 to 1000."""
    return [int(tokenizer.encode(str(number))[0]) for number in range(NUMBERS)]
