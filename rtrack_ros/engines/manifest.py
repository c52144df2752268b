"""``rtrack.json``: what a model folder says about itself, so that nobody has to guess."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rtrack_ros.accuracy import AnswerAccuracy
from rtrack_ros.engines.base import TASKS, EngineError
from rtrack_ros.foreign_text import parse_json, read_foreign

MANIFEST_NAME = 'rtrack.json'
MAX_SIDE = 8192
MOST_BOXES = 1000

EXAMPLE = ('{"name": "rtrack-nano", "bbox_protocol": "rel1000", "image_size": [320, 256], '
            '"labels": ["person", "car"], "prompt": "brief", "max_boxes": 12, '
            '"tasks": ["ground"]}')


@dataclass(frozen=True)
class ModelManifest:
    """The facts about a model that its weights do not tell.

    Attributes:
        name: Model name.
        bbox_protocol: How it writes coordinates: 'rel1000' or 'abs_resized'.
        image_size: (width, height) in pixels of every image it sees.
        labels: Words it uses as labels; empty where any word may come.
        prompt: Style of the prompt it was trained with.
        max_boxes: Most boxes it was trained to write in one answer.
        crops: Whether it finds more when shown an enlarged part of the image around what is
            followed. False unless measured: a model trained on whole images only may take the
            edge of a crop for that of the scene, and 'on the left' for the left of the crop.
        refine: Whether its answers are better where it looks at every box again from near,
            see ``language.refine``. False unless measured: every look takes time, and a
            model that reads large images gains little.
        tasks: What it was trained for, of ``engines.base.TASKS``; 'ground' where nothing is said.
        accuracy: How far its answers can be trusted, as ``rtrack benchmark grounding
            --write-accuracy`` measured it; None where it was not measured.
        family: Name of its family, see ``engines.families``; empty where it is of none.
        system: System message before every question; empty for none.
        answer_start: What stands before its answer without being one, such as a closed thought.
        split_sentences: Whether it does better when "the people not in red" is asked as two,
            see ``language.splitting``. False unless measured: two questions take longer.
    """

    name: str
    bbox_protocol: str
    image_size: tuple[int, int]
    labels: tuple[str, ...] = ()
    prompt: str = 'brief'
    max_boxes: int = 12
    crops: bool = False
    refine: bool = False
    tasks: tuple[str, ...] = ('ground',)
    accuracy: AnswerAccuracy | None = None
    family: str = ''
    system: str = ''
    answer_start: str = ''
    split_sentences: bool = False

    @classmethod
    def read(cls, folder: Path, known: 'ModelManifest | None' = None) -> 'ModelManifest':
        """Read ``folder``/rtrack.json.

        Args:
            folder: Model folder.
            known: What holds for every key that the file does not have; None makes the first
                three obligatory. ``engines.families.read_manifest`` gives that of the family.

        Raises:
            EngineError: the folder or file is missing or does not say what it must.
        """
        path = folder / MANIFEST_NAME
        try:
            return cls._from_json((asdict(known) if known else {})
                                  | parse_json(read_foreign(path)))
        except FileNotFoundError as error:
            if not folder.is_dir():
                raise EngineError(f'{folder} is not there; give the folder of a model, or the URL '
                                  'of a server with its http://') from error
            raise EngineError(
                f'{folder} holds no {MANIFEST_NAME}, so nobody knows how its model writes boxes; '
                f'give a model folder of this project, or add one such as {EXAMPLE}') from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(f'{path} is not a model manifest ({error!r}); '
                              f'write one such as {EXAMPLE}') from error

    @classmethod
    def _from_json(cls, content: dict[str, Any]) -> 'ModelManifest':
        width, height = (int(side) for side in content['image_size'])
        if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            raise ValueError(f'image_size {width} x {height} must be from 1 to {MAX_SIDE}')
        most_boxes = int(content.get('max_boxes', 12))
        if not 1 <= most_boxes <= MOST_BOXES:
            raise ValueError(f'max_boxes {most_boxes} must be from 1 to {MOST_BOXES}')
        return cls(str(content['name']), str(content['bbox_protocol']), (width, height),
                   tuple(str(label) for label in content.get('labels', ())),
                   str(content.get('prompt', 'brief')), most_boxes,
                   _gain(content, 'crops'),
                   # 'second_look' was its name before 0.1.0.
                   _gain(content, 'refine') or _gain(content, 'second_look'),
                   _tasks(content.get('tasks', ('ground',))),
                   _accuracy(content.get('accuracy')), str(content.get('family', '')),
                   str(content.get('system', '')), str(content.get('answer_start', '')),
                   _gain(content, 'split_sentences'))

    def write(self, folder: Path) -> None:
        """Write ``folder``/rtrack.json."""
        facts = {name: fact for name, fact in asdict(self).items() if fact is not None}
        text = json.dumps(facts, indent=2) + '\n'
        (folder / MANIFEST_NAME).write_text(text, encoding='utf-8')


def _gain(content: dict[str, Any], name: str) -> bool:
    gains = content.get(name, False)
    if not isinstance(gains, bool):
        raise ValueError(f'{name} must be true or false; got {gains!r}')
    return gains


def _accuracy(measured: Any) -> AnswerAccuracy | None:
    return None if measured is None else AnswerAccuracy(
        **{str(name): float(value) for name, value in measured.items()})


def _tasks(named: Any) -> tuple[str, ...]:
    if isinstance(named, str) or not named or not set(named) <= set(TASKS):
        raise ValueError(f'tasks must list some of {", ".join(TASKS)}; got {named!r}')
    return tuple(named)
