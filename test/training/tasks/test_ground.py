"""Questions drawn from clips: the same by number, boxes where the pixels are."""

from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.refrt_folder import write_refrt
from rtrack_ros.simulation import make_scene
from rtrack_ros.training.tasks.clips import SimulatedClip, open_clips
from rtrack_ros.training.tasks.ground import Ground


@pytest.fixture(scope='module')
def refrt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('refrt')
    scene = make_scene(3, seconds=0.4, place='yard', conditions=('day',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    write_refrt(scene, folder, split='train')
    return folder


def test_a_refrt_folder_gives_questions(refrt: Path) -> None:
    task = Ground(open_clips(str(refrt), 'refrt', 0, 0), 'full', 12, 0.25, 1)
    questions = [task[number] for number in range(len(task))]
    assert all(len(item.images) == 2 and item.images[0].shape == (120, 160, 3)
               for item in questions)
    assert {bool(item.boxes) for item in questions} == {True, False}
    assert all(item.boxes == tuple(sorted(item.boxes)) for item in questions)


def test_a_set_without_sentences_of_its_own_asks_for_its_classes(street: Path) -> None:
    task = Ground(open_clips(str(street), 'rgbt-mot', 0, 0), 'full', 40, 0.25, 1)
    seen = set()
    for question in (task[number] for number in range(len(task))):
        frame = round(float(question.images[0].mean()) / 40)
        cars = 'the cars' in str(question.prompt.parts)
        assert cars != ('the pedestrians' in str(question.prompt.parts))
        if cars:
            expected = [(90, 40, 110, 50)] if frame >= 3 else []
        else:
            expected = [(10 * frame, 20, 10 * frame + 8, 36)] * (frame <= 3) + [(60, 20, 68, 36)]
        assert list(question.boxes) == expected
        assert set(question.labels) <= {'car' if cars else 'pedestrian'}
        seen.add((cars, bool(question.boxes)))
    assert seen == {(True, True), (True, False), (False, True)}


def test_a_question_depends_on_its_number_alone() -> None:
    first, second = (Ground([SimulatedClip(7)], 'brief', 4, 0.25, 5) for _ in range(2))
    ahead, again = first[2], second[2]
    assert ahead.prompt == again.prompt and ahead.boxes == again.boxes
    assert all(np.array_equal(a, b) for a, b in zip(ahead.images, again.images, strict=True))
    assert {first[number].prompt for number in range(4)} != {ahead.prompt}


def test_clips_without_annotations_or_sentences_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        open_clips(str(tmp_path), 'refrt', 0, 0)
    with pytest.raises(ValueError, match='locate on them, or take a layout .* refrt'):
        Ground([], 'full', 1, 0.0, 0)
