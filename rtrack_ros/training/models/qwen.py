"""Loading Qwen-VL folders for training, and writing back folders that every engine reads."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from transformers import (
    AutoImageProcessor,
    AutoModelForImageTextToText,
    AutoTokenizer,
    BatchFeature,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.image_utils import make_flat_list_of_images
from transformers.processing_utils import ProcessorMixin

from rtrack_ros.engines.base import EngineError
from rtrack_ros.engines.families import folder_family
from rtrack_ros.engines.families import read_manifest as read_folder
from rtrack_ros.engines.manifest import ModelManifest
from rtrack_ros.files import SEAL_NAME, whole_folder
from rtrack_ros.provenance import RECORD_NAME
from rtrack_ros.training.models.chat_template import chat_template
from rtrack_ros.training.models.hub import local_folder
from rtrack_ros.training.models.nano import on_int8_grid
from rtrack_ros.training.models.tokenizer import NUMBERS

_NOT_COPIED = ('README.md', '*.safetensors', '*.bin', '*.pt', '*.index.json', 'config.json',
               'openvino', 'llamacpp', 'checkpoint-*', '.*', SEAL_NAME, RECORD_NAME)


class PairProcessor(ProcessorMixin):
    """Tokenizer and image processor of a Qwen-VL folder, without the video half.

    The library's own processors demand a video processor and with it torchvision. The chat
    template is ours: the string is then the one that every engine of this package sends.
    """

    return_mm_token_type_ids = True
    text_kwargs: Final = {'return_token_type_ids': False}

    def __init__(self, image_processor: Any = None, tokenizer: Any = None,
                 chat_template: str | None = None, **_: Any) -> None:
        self.image_token = '<|image_pad|>'
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        super().__init__(image_processor, tokenizer, chat_template=chat_template)

    def _process_images(self, images: Any, **kwargs: Any) -> tuple[Any, list[str]]:
        """Process every distinct image once: the rows of a group hold one and the same."""
        flat = make_flat_list_of_images(images)
        distinct = {id(image): image for image in flat}
        places = {name: place for place, name in enumerate(distinct)}
        found = self.image_processor(list(distinct.values()),
                                     **{**kwargs, 'return_tensors': 'pt'})
        patches = found['pixel_values'].split(found['image_grid_thw'].prod(-1).tolist())
        chosen = [places[id(image)] for image in flat]
        shared = BatchFeature({'pixel_values': torch.cat([patches[place] for place in chosen]),
                               'image_grid_thw': found['image_grid_thw'][chosen]})
        return shared, [self.replace_image_token(shared, image_idx=place)
                        for place in range(len(flat))]

    def replace_image_token(self, image_inputs: dict[str, Any], image_idx: int, **_: Any) -> str:
        """Return one image token for every merged patch of an image."""
        merged = self.image_processor.merge_size ** 2
        return self.image_token * int(image_inputs['image_grid_thw'][image_idx].prod() // merged)


def read_manifest(folder: Path, image_size: tuple[int, int] | None) -> ModelManifest:
    """Return how a model reads images and writes boxes.

    A folder without ``rtrack.json``, as downloaded, gets the facts of its family.

    Args:
        folder: Model folder.
        image_size: (width, height) in pixels to train at; None keeps that of the folder.

    Raises:
        EngineError: there is no such folder, its family is not known, or the size is no multiple
            of a visual token.
    """
    if (folder / 'adapter_config.json').is_file() and not (folder / 'config.json').is_file():
        raise EngineError(f'{folder} holds an adapter and no model; give the folder model/ beside '
                          'it, where rtrack train has merged the two, or merge them with PEFT')
    manifest = read_folder(local_folder(folder))
    manifest = replace(manifest, image_size=image_size or manifest.image_size)
    family = folder_family(folder)
    if family is not None:
        family.check_image_size(manifest.image_size)
    return manifest


def load_processor(folder: Path, manifest: ModelManifest) -> PairProcessor:
    """Return the processor, for images that come in the size of the manifest and keep it."""
    area = manifest.image_size[0] * manifest.image_size[1]
    images = AutoImageProcessor.from_pretrained(
        folder, size={'shortest_edge': area, 'longest_edge': area})
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side='left')
    return PairProcessor(images, tokenizer, chat_template=chat_template(
        manifest.system, manifest.answer_start))


def load_model(folder: Path, dtype: str, attention: str, train_vision: bool) -> PreTrainedModel:
    """Return the model.

    Args:
        folder: Model folder.
        dtype: 'float32', 'bfloat16', 'float16', or 'auto' for what the folder holds.
        attention: Implementation, for example 'sdpa' or 'flash_attention_2'.
        train_vision: False freezes the vision tower, the merger included.

    Raises:
        EngineError: it cannot be loaded so.
    """
    try:
        loaded: tuple[PreTrainedModel, dict[str, Any]] = (
            AutoModelForImageTextToText.from_pretrained(
                folder, dtype=dtype, attn_implementation=attention, output_loading_info=True))
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise EngineError(f'the weights in {folder} cannot be loaded with attention {attention} '
                          f'({" ".join(str(error).split())[:300]}); fetch the folder again, or '
                          'correct the configuration') from error
    model, found = loaded
    if found['missing_keys']:  # they would be drawn at random
        missing = sorted(found['missing_keys'])
        raise EngineError(f'{folder} lacks {len(missing)} weights, such as {missing[0]}; fetch '
                          'the folder again')
    if not train_vision:
        model.model.visual.requires_grad_(False)
    return model


def save_folder(model: PreTrainedModel, source: Path, manifest: ModelManifest, target: Path
                ) -> None:
    """Write weights and, beside them, everything else ``source`` has, and rtrack.json.

    Weights are written in bfloat16; those of rtrack-nano in float16 on the grid of 8-bit weights,
    as its own trainer does, so that its int8 export is the same model.

    Args:
        model: The trained model, adapters merged.
        source: Folder it was loaded from.
        manifest: How it reads and writes now.
        target: Folder to write, replaced if it is there; whole or not there at all.
    """
    dtype = torch.bfloat16
    if says_numbers_in_one_token(AutoTokenizer.from_pretrained(source)):
        dtype = torch.float16
        model.load_state_dict({name: on_int8_grid(value)
                               for name, value in model.state_dict().items()})
    with whole_folder(target) as draft:
        shutil.copytree(source, draft, ignore=shutil.ignore_patterns(*_NOT_COPIED),
                        dirs_exist_ok=True)
        model.to(dtype).save_pretrained(draft)
        (draft / 'chat_template.jinja').write_text(
            chat_template(manifest.system, manifest.answer_start))
        _pin_image_size(draft, manifest.image_size)
        manifest.write(draft)


def _pin_image_size(folder: Path, size: tuple[int, int]) -> None:
    """Write the size of training where other programs look for it."""
    path, area = folder / 'preprocessor_config.json', size[0] * size[1]
    if path.is_file():
        content = json.loads(path.read_text(encoding='utf-8'))
        content = {key: value for key, value in content.items()
                   if key not in ('min_pixels', 'max_pixels')}
        content['size'] = {'shortest_edge': area, 'longest_edge': area}
        path.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')


def says_numbers_in_one_token(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Return whether every coordinate is one token: rtrack-nano's; Qwen's spells digits."""
    return all(len(tokenizer.encode(str(number))) == 1 for number in range(NUMBERS))
