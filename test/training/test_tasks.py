"""Questions drawn from clips: the same by number, boxes where the pixels are."""

from pathlib import Path

import numpy as np
import pytest

from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.refrt import write_refrt
from rtrack_ros.simulation import make_scene
from rtrack_ros.training.clips import SimulatedClip, open_clips
from rtrack_ros.training.tasks import Ground, Locate, crop_side, crop_square

SIZE = (96, 96)


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


def test_a_question_depends_on_its_number_alone() -> None:
    first, second = (Ground([SimulatedClip(7)], 'brief', 4, 0.25, 5) for _ in range(2))
    ahead, again = first[2], second[2]
    assert ahead.prompt == again.prompt and ahead.boxes == again.boxes
    assert all(np.array_equal(a, b) for a, b in zip(ahead.images, again.images, strict=True))
    assert {first[number].prompt for number in range(4)} != {ahead.prompt}


def test_the_box_of_a_crop_holds_the_pixels_of_the_target() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    image[40:80, 250:280] = 255
    box = (250.0, 40.0, 280.0, 80.0)
    crop, found = crop_square(image, box, (240.0, 50.0, 270.0, 90.0), SIZE)
    x1, y1, x2, y2 = found[0]
    inside = crop[round(y1):round(y2), round(x1):round(x2)]
    assert inside.mean() > 240 and crop.sum() < inside.sum() * 1.2
    assert crop_side(box) == np.ceil(4 * np.sqrt(30 * 40))


def test_a_target_outside_the_crop_is_absent() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    assert crop_square(image, (10, 10, 30, 30), (250, 150, 270, 170), SIZE)[1] == ()


def test_locate_asks_for_present_and_absent_targets() -> None:
    task = Locate([SimulatedClip(7)], 'full', 24, 0.4, 2, SIZE, 'rel1000')
    questions = [task[number] for number in range(24)]
    absent = sum(not item.boxes for item in questions)
    assert 3 <= absent <= 18
    assert all(image.shape == (96, 96, 3) for item in questions for image in item.images)
    present = [item.boxes[0] for item in questions if item.boxes]
    sides = [np.sqrt((b[2] - b[0]) * (b[3] - b[1])) / SIZE[0] for b in present]
    assert np.median(sides) == pytest.approx(0.25, abs=0.03)  # by the crop factor of 4


def test_clips_without_annotations_or_sentences_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        open_clips(str(tmp_path), 'refrt', 0, 0)
    with pytest.raises(ValueError, match='locate'):
        Ground([], 'full', 1, 0.0, 0)
