"""A clip of our own making: a warm figure walks over cold, textured ground."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from rtrack_ros.boxes import iou
from rtrack_ros.cli import main
from rtrack_ros.data.mot import MotRow, write_mot
from rtrack_ros.data.pairs import DataError
from rtrack_ros.training.composites.clips import ClipGeometry, read_settings
from rtrack_ros.training.composites.composition import relative_box
from rtrack_ros.training.composites.detector import Detection, PersonDetector
from rtrack_ros.training.composites.labels import link, merge, plausible
from rtrack_ros.training.composites.motion import motion_of
from rtrack_ros.training.composites.sentences import draw_real_sentences
from rtrack_ros.training.configs import shipped_config
from rtrack_ros.training.shards.frames import FACINGS, ObjectRow, read_shard

FRAMES, SIZE = 40, (640, 480)
GROUND = {'ground': [[0, 300], [640, 300], [640, 480], [0, 480]],
          'heights': [[300, 100], [480, 250]]}


def box_at(index: int) -> tuple[int, int, int, int]:
    left = 60 + 12 * index
    return left, 200, left + 50, 350


def write_clip(root: Path, name: str) -> None:
    ground = np.random.default_rng(0).integers(90, 130, (SIZE[1], SIZE[0], 3), np.uint8)
    for folder in ('visible', 'infrared'):
        (root / folder).mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(root / folder / f'{name}.mp4'),
                                 cv2.VideoWriter.fourcc(*'mp4v'), 30, SIZE)
        for index in range(FRAMES):
            image = ground.copy() if folder == 'visible' else np.full_like(ground, 30)
            x1, y1, x2, y2 = box_at(index)
            colour = (30, 30, 200) if folder == 'visible' else (240, 240, 240)
            cv2.rectangle(image, (x1 + 8, y1 + 26), (x2 - 9, y2 - 1), colour, -1)
            cv2.ellipse(image, ((x1 + x2) // 2, y1 + 15), (12, 15), 0, 0, 360, colour, -1)
            cv2.line(image, (x1, y1 + 80), (x2 - 1, y1 + 60), colour, 7)
            writer.write(image)
        writer.release()


def write_settings(path: Path, train: list[str], held_out: list[str]) -> Path:
    path.write_text(yaml.safe_dump({'train': {name: GROUND for name in train},
                                    'held_out': held_out}))
    return path


@pytest.fixture(scope='module')
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('clips')
    write_clip(root, 'walk')
    write_mot(root / 'labels' / 'walk.gt.txt',
              [MotRow(index + 1, 1, box_at(index)) for index in range(0, FRAMES, 3)])
    settings = write_settings(root / 'clips.yaml', ['walk'], ['other'])
    # A held-out clip that does not exist: opening it would fail.
    status = main(['compose', '--clips', str(root), '--config', str(settings), '--labels',
                   str(root / 'labels'), '--out', str(root / 'out'), '--shards', '1', '--frames',
                   '30'])
    assert status == 0
    return root / 'out' / 'train'


def grid_box(row: ObjectRow) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (round(value * scale / 1000) for value, scale in zip(
        row.box, (256, 192, 256, 192), strict=True))
    return x1, y1, x2, y2


def test_boxes_hold_who_stands_out_and_sentences_name_them(composed: Path) -> None:
    shard = read_shard(composed, 0)
    assert shard.rgb.shape == (30, 192, 256, 3) and shard.thermal.shape == (30, 192, 256)
    leads = []
    for thermal, row in zip(shard.thermal, shard.rows, strict=True):
        everybody = next(item for item in row.sentences if item.text == 'the people')
        people = {number for number, item in enumerate(row.objects) if item.category == 0}
        assert set(everybody.objects) == people
        for number in people:
            x1, y1, x2, y2 = grid_box(row.objects[number])
            others = [item.box for item in row.objects if item is not row.objects[number]]
            around = (1000 * (x1 - 8) / 256, 0, 1000 * (x2 + 8) / 256, 1000)
            if iou([around], [*others, *row.hidden]).any():
                continue  # what surrounds the box may be a person too
            middle = slice((2 * y1 + y2) // 3, (y1 + 2 * y2) // 3)
            trunk = thermal[middle, (3 * x1 + x2) // 4:(x1 + 3 * x2) // 4 + 1]
            sides = np.hstack([thermal[middle, max(x1 - 6, 0):max(x1 - 1, 0)],
                               thermal[middle, x2 + 1:x2 + 6]])
            leads.append(abs(float(np.median(trunk)) - float(np.median(sides))))
    assert len(leads) >= 3 and np.mean(np.array(leads) > 8) >= 0.75


def test_a_second_run_writes_the_same(composed: Path, tmp_path: Path) -> None:
    root = composed.parents[1]
    main(['compose', '--clips', str(root), '--config', str(root / 'clips.yaml'), '--labels',
          str(root / 'labels'), '--out', str(tmp_path), '--shards', '1', '--frames', '3'])
    again, first = read_shard(tmp_path / 'train', 0), read_shard(composed, 0)
    assert again.rows == first.rows[:3]
    assert np.array_equal(again.rgb, first.rgb[:3])


def test_clips_without_labels_name_the_detector(tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    settings = write_settings(tmp_path / 'clips.yaml', ['walk'], [])
    assert main(['compose', '--clips', str(tmp_path), '--config', str(settings), '--out',
                 str(tmp_path / 'out')]) == 2
    assert '--detector' in capsys.readouterr().err


def test_a_held_out_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='held out'):
        read_settings(write_settings(tmp_path / 'clips.yaml', ['a', 'b'], ['b']))


def test_a_name_without_quotes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'clips.yaml'
    path.write_text(yaml.safe_dump({'train': {1: GROUND}}))
    with pytest.raises(DataError, match='quotes'):
        read_settings(path)


def test_the_shipped_settings_hold_out_the_annotated_clip() -> None:
    settings = read_settings(shipped_config('real_clips'))
    assert settings.held_out == {'0117_1605'}
    assert {clip.name for clip in settings.train} == {'0111_1716', '0113_1714'}


def test_a_missing_detector_names_its_package(tmp_path: Path) -> None:
    pytest.importorskip('openvino')
    with pytest.raises(DataError, match='make picodet'):
        PersonDetector(tmp_path)


def test_both_spectra_make_one_person() -> None:
    seen = [Detection((10, 10, 50, 110), 0.6), Detection((12, 8, 52, 112), 0.9),
            Detection((20, 20, 40, 60), 0.5), Detection((200, 10, 240, 110), 0.5)]
    assert merge(seen) == [seen[1], seen[3]]


def test_sizes_that_no_person_has_are_no_people() -> None:
    geometry = ClipGeometry('walk', ((0, 0), (1, 0), (1, 1)), ((300, 100), (480, 250)))
    assert plausible((0, 200, 40, 300), geometry)
    assert not plausible((0, 281, 19, 300), geometry)  # a lifebuoy
    assert not plausible((0, 0, 200, 300), geometry)  # a wall


def test_identities_follow_overlap_and_motion_follows_identities() -> None:
    found = [(frame, [Detection((100 + 4 * frame, 100, 140 + 4 * frame, 200), 0.9),
                      Detection((400, 100, 440, 200), 0.9)]) for frame in range(1, 20, 3)]
    rows = link(found)
    assert len({row.id for row in rows}) == 2
    labels: dict[int, list[MotRow]] = {}
    for row in rows:
        labels.setdefault(row.frame, []).append(row)
    walking, standing = labels[10]
    assert motion_of(walking, labels, 640).facing == FACINGS.index('right')
    assert motion_of(walking, labels, 640).moving
    assert not motion_of(standing, labels, 640).moving


def person(box: tuple[float, float, float, float], upper: int = 0) -> ObjectRow:
    return ObjectRow(0, upper, -1, -1, False, box)


def meanings(objects: list[ObjectRow], condition: str = 'day') -> dict[str, tuple[int, ...]]:
    return {item.text: item.objects for seed in range(40) for item in draw_real_sentences(
        np.random.default_rng(seed), objects, condition)}


def test_sentences_mean_what_they_say() -> None:
    said = meanings([person((600, 300, 700, 900)), person((100, 300, 200, 800), upper=1),
                     ObjectRow(1, 0, -1, 0, True, (300, 500, 500, 700))])
    assert said['the people on the left'] == (1,) and said['the person on the right'] == (0,)
    assert said['the nearest person'] == (0,) and said['the leftmost person'] == (1,)
    assert said['the cars'] == (2,) and said['the cyclists'] == () and said['the dog'] == ()
    assert said['the person in red'] == (0,) and said['the person in pink'] == ()


def test_what_is_not_sure_is_not_said() -> None:
    pair = [person((600, 300, 700, 900)), person((700, 300, 800, 910), upper=-1)]
    said = meanings(pair)
    assert not [text for text in said if ' in red' in text or ' in pink' in text]
    assert 'the person on the right' not in said and 'the nearest person' not in said
    assert 'the person in red' not in meanings([person((600, 300, 700, 900))], 'smoke')


def test_boxes_are_cut_to_the_view() -> None:
    assert relative_box((-20, 60, 80, 120), (0, 20, 200, 120)) == (0.0, 400.0, 400.0, 1000.0)
    assert relative_box((300, 20, 320, 60), (0, 0, 200, 100)) is None
