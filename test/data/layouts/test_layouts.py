"""Every reader on small files in the layout of its data set, traps included."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from rtrack_ros.cli import main
from rtrack_ros.data import layouts
from rtrack_ros.data.annotated import AnnotatedSequence
from rtrack_ros.data.layouts import (
    LAYOUTS,
    layout_facts,
    layouts_with_sentences,
    read_layout,
    refer_kitti,
)
from rtrack_ros.data.pairs import DataError
from rtrack_ros.data.refrt_folder import write_refrt
from rtrack_ros.simulation import make_scene

SIZE = (40, 30)


def write_images(folder: Path, names: list[str]) -> None:
    """Write images whose grey value is 10 times their place in the list."""
    folder.mkdir(parents=True)
    for index, name in enumerate(names):
        image = np.full((SIZE[1], SIZE[0], 3), 10 * index, np.uint8)
        cv2.imwrite(str(folder / name), image)


def shade(sequence: AnnotatedSequence, index: int) -> int:
    """Return which image of its folder a frame shows."""
    return round(float(sequence.pair(index).rgb.mean()) / 10)


def lasher(root: Path, boxes: str, images: int) -> Path:
    names = [f'v{number}.png' for number in (2, 10, 11, 100)][:images]
    write_images(root / 'walker' / 'visible', names)
    write_images(root / 'walker' / 'infrared', names)
    for name in ('visible.txt', 'infrared.txt'):
        (root / 'walker' / name).write_text(boxes)
    return root


def test_lasher_absent_boxes_and_irregular_names(tmp_path: Path) -> None:
    sequence, = read_layout('lasher', lasher(tmp_path, '1,2,10,20\n0,0,0,0\n3,2,10,20', 3))
    assert [frame.absent for frame in sequence.frames] == [False, True, False]
    assert sequence.first_box == (1, 2, 11, 22)
    assert [shade(sequence, index) for index in range(3)] == [0, 1, 2]  # v2 comes before v10
    pair = sequence.pair(2)
    assert pair.thermal is not None and pair.stamp_ns == sequence.frames[2].stamp_ns > 0
    assert list(sequence.truth) == [1, 3]


def test_lasher_files_must_go_together(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='2 boxes, 3 visible, 3 infrared'):
        read_layout('lasher', lasher(tmp_path, '1,2,10,20\n1,2,10,20\n', 3))


def test_lasher_says_where_the_modalities_disagree(tmp_path: Path) -> None:
    root = lasher(tmp_path, '1,2,10,20\n', 1)
    (root / 'walker' / 'infrared.txt').write_text('2,2,10,20\n')
    (root / 'walker' / 'visible_description.txt').write_bytes('走路的人\n'.encode('gb18030'))
    sequence, = read_layout('lasher', root)
    assert 'infrared.txt' in sequence.notes[0] and sequence.sentences == ('走路的人',)


def vtuav(folder: Path, images: int, boxes: int) -> None:
    for name in ('rgb', 'ir'):
        write_images(folder / name, [f'{number:06d}.png' for number in range(images)])
        (folder / f'{name}.txt').write_text('4 5 10 12\n' * (boxes - 1) + '0 0 0 0\n')


def test_vtuav_boxes_of_every_tenth_frame(tmp_path: Path) -> None:
    vtuav(tmp_path / 'train_ST_001' / 'car_001', 24, 3)
    np.save(tmp_path / 'init_frame.npy', {'car_001': 3, 'other': np.int64(7)})
    sequence, = read_layout('vtuav', tmp_path)
    assert [shade(sequence, index) for index in range(3)] == [3, 13, 23]
    assert [frame.absent for frame in sequence.frames] == [False, False, True]
    assert sequence.frames[1].stamp_ns == pytest.approx(1e9 / 3, abs=1)
    assert sequence.fps == pytest.approx(3.0)


def test_vtuav_duplicates_come_once_and_short_folders_are_named(tmp_path: Path) -> None:
    for part in ('train_ST_004', 'train_ST_006'):
        vtuav(tmp_path / part / 'pedestrian_040', 11, 2)
    assert len(read_layout('vtuav', tmp_path)) == 1
    vtuav(tmp_path / 'train_ST_007' / 'car_002', 10, 2)
    with pytest.raises(DataError, match='10 images, but box 2 belongs to image 10'):
        read_layout('vtuav', tmp_path)


def test_vtuav_runs_no_code_from_its_files(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / 'ran',))

    vtuav(tmp_path / 'car_001', 1, 1)
    np.save(tmp_path / 'init_frame.npy', {'car_001': Payload()})
    with pytest.raises(DataError, match='other things'):
        read_layout('vtuav', tmp_path)
    assert not (tmp_path / 'ran').exists()


def got10k(folder: Path, boxes: int) -> None:
    write_images(folder, [f'{number:08d}.png' for number in (1, 2, 3)])
    (folder / 'groundtruth.txt').write_text('1.0,2.0,10.0,20.0\n' * boxes)
    (folder / 'meta_info.ini').write_text('[METAINFO]\nobject_class: snow leopard\n')


def test_got10k_absence_cover_and_class(tmp_path: Path) -> None:
    folder = tmp_path / 'val' / 'GOT-10k_Val_000001'
    got10k(folder, 3)
    (folder / 'absence.label').write_text('0\n1\n0\n')
    (folder / 'cover.label').write_text('8\n0\n4\n')
    sequence, = read_layout('got10k', tmp_path)
    assert [frame.absent for frame in sequence.frames] == [False, True, False]
    assert [frame.cover for frame in sequence.frames] == [1.0, 0.0, 0.5]
    assert sequence.label(1) == 'snow leopard' and sequence.pair(0).thermal is None


def test_got10k_withholds_the_truth_of_its_test_split(tmp_path: Path) -> None:
    got10k(tmp_path / 'test' / 'GOT-10k_Test_000001', 1)
    sequence, = read_layout('got10k', tmp_path)
    assert [frame.labelled for frame in sequence.frames] == [True, False, False]
    assert not sequence.frames[1].absent


def test_rgbt_mot_classes_and_boxes_that_do_not_count(tmp_path: Path) -> None:
    folder = tmp_path / 'train' / 'street'
    for name in ('visible', 'infrared'):
        write_images(folder / name, ['0000001.png', '0000002.png'])
    (folder / 'gt').mkdir()
    (folder / 'gt' / 'gt.txt').write_text(
        '1,1,5,5,8,16,1,1,1\n1,2,20,5,10,8,1,2,1\n2,3,1,1,8,16,0,1,1\n')
    walkers, cars = read_layout('rgbt-mot', tmp_path)
    assert walkers.labels == cars.labels == {1: 'pedestrian', 2: 'car'}
    assert (walkers.name, cars.name) == ('street+pedestrians', 'street+cars')
    assert (walkers.sentences, cars.sentences) == (('the pedestrians',), ('the cars',))
    assert sorted(cars.frames[0].objects) == [1, 2] and cars.frames[0].meant == {2}
    assert cars.truth[1][0].box == (20, 5, 30, 13) and [len(item.truth) for item in (
        walkers, cars)] == [1, 1]
    (folder / 'gt' / 'gt.txt').write_text('3,1,5,5,8,16,1,1,1\n')
    with pytest.raises(DataError, match='names frame 3'):
        read_layout('rgbt-mot', tmp_path)


def refrt(folder: Path, names: list[str], rows: str, description: bytes) -> None:
    write_images(folder / 'rgb', names)
    write_images(folder / 'ir', names)
    (folder / 'gt.txt').write_text(rows)
    (folder / 'description.txt').write_bytes(description)


def test_refrt_sparse_frames_absent_boxes_and_encodings(tmp_path: Path) -> None:
    refrt(tmp_path / 'train' / 'VTUAV_car_001_左边,的车',
          ['000001.png', '000011.png', '000021.png'],
          '1,7,2,3,10,8,1,1,1\n11,7,0,0,0,0,1,1,1\n21,7,4,3,10,8,1,1,1\n',
          '左边的车\ncar on the left\n'.encode('gb18030'))
    sequence, = read_layout('refrt', tmp_path)
    assert sequence.sentences == ('car on the left', '左边的车')
    assert [frame.absent for frame in sequence.frames] == [False, True, False]
    assert sequence.frames[2].stamp_ns == pytest.approx(20e9 / 30, abs=1)
    assert sequence.fps == pytest.approx(3.0) and sequence.condition == 'VTUAV'
    assert list(sequence.truth) == [1, 3]


def test_refrt_rows_count_images_where_they_can(tmp_path: Path) -> None:
    refrt(tmp_path / 'LasHeR_a_b', ['000100.png', '000101.png'], '2,1,2,3,10,8,1,1,1\n', b'man\n')
    sequence, = read_layout('refrt', tmp_path)
    assert [sorted(frame.objects) for frame in sequence.frames] == [[], [1]]
    (tmp_path / 'LasHeR_a_b' / 'gt.txt').write_text('3,1,2,3,10,8,1,1,1\n')
    with pytest.raises(DataError, match='names frame 3'):
        read_layout('refrt', tmp_path)


def test_refrt_written_scenes_come_back(tmp_path: Path) -> None:
    scene = make_scene(3, seconds=0.3, conditions=('night',), fps=10, size=(160, 120),
                       thermal_size=(80, 60))
    write_refrt(scene, tmp_path)
    sequences = read_layout('refrt', tmp_path)
    assert len(sequences) == len(scene.expressions)
    for sequence, expression in zip(sequences, scene.expressions, strict=True):
        assert sequence.sentences == (expression.text,) and len(sequence) == len(scene)
        assert sequence.condition == 'night'
        assert tuple(frame.meant for frame in sequence.frames) == expression.ids
        for frame, simulated in zip(sequence.frames, scene, strict=True):
            boxes = {item.id: item.box for item in simulated.objects}
            for name in frame.meant:
                assert frame.objects[name] == pytest.approx(boxes[name], abs=0.02)
    assert sum(1 for _ in sequences[0].pairs()) == len(scene)


def kitti(root: Path) -> Path:
    write_images(root / 'KITTI/training/image_02/0005', ['000000.png', '000001.png'])
    labels = root / 'KITTI/labels_with_ids/image_02/0005'
    labels.mkdir(parents=True)
    (labels / '000000.txt').write_text('0 4 0.25 0.5 0.5 0.2\n1 9 0 0 0.1 0.1\n')
    (labels / '000001.txt').write_text('0 4 0.5 0.5 0.5 0.2\n')
    folder = root / 'expression/0005'
    folder.mkdir(parents=True)
    (folder / 'cars, in left.json').write_text(json.dumps(
        {'label': {'0': [4], '1': [4, 77]}, 'video_name': '0005', 'sentence': 'cars, in left'}))
    return root


def test_refer_kitti_boxes_are_top_left_shares_of_the_same_frame(tmp_path: Path) -> None:
    sequence, = read_layout('refer-kitti', kitti(tmp_path))
    assert sequence.name == '0005+cars, in left' and sequence.sentences == ('cars, in left',)
    assert sequence.frames[0].objects[4] == (10, 15, 30, 21)
    assert sequence.frames[1].objects[4] == (20, 15, 40, 21)
    assert [frame.meant for frame in sequence.frames] == [{4}, {4}]
    assert sorted(sequence.frames[0].objects) == [4, 9] and sequence.label(9) == 'person'
    assert sequence.notes == ('1 times an id is named that has no box in the labels',)


def test_refer_kitti_the_uncorrected_frames_can_be_had(tmp_path: Path) -> None:
    sequence, = refer_kitti.read(kitti(tmp_path), label_shift=1)
    assert sequence.frames[0].objects[4] == (20, 15, 40, 21)
    assert sequence.frames[1].absent


def test_refer_kitti_lists_keep_commas_and_their_last_line(tmp_path: Path) -> None:
    path = tmp_path / 'seqmap.txt'
    path.write_text('name\n"0005+cars, in left"\n0011+left-cars\n0013+the end')
    pairs = refer_kitti.read_seqmap(path)
    assert pairs == [('0005', 'cars, in left'), ('0011', 'left-cars'), ('0013', 'the end')]
    assert len(refer_kitti.read(kitti(tmp_path / 'set'), pairs[:1])) == 1
    with pytest.raises(DataError, match='take the pair out'):
        refer_kitti.read(tmp_path / 'set', [('0005', 'nobody-wrote-this')])
    path.write_text('0005+a\n0005+a\n')
    with pytest.raises(DataError, match=':2'):
        refer_kitti.read_seqmap(path)


def test_a_file_in_the_folder_is_a_layout() -> None:
    folder = Path(layouts.__file__).parent
    files = {path.stem.replace('_', '-') for path in folder.glob('*.py')} - {'--init--'}
    assert files == set(LAYOUTS) >= {
        'refrt', 'lasher', 'vtuav', 'refer-kitti', 'got10k', 'rgbt-mot'}


def test_layouts_say_how_they_are_scored_and_whether_they_have_sentences() -> None:
    targets, sets = ('got10k', 'lasher', 'vtuav'), ('refrt', 'refer-kitti', 'rgbt-mot')
    assert all(layout_facts(name).single_object for name in targets)
    assert not any(layout_facts(name).single_object for name in sets)
    known = [name for name in layouts_with_sentences() if name in targets + sets]
    assert sorted(known) == sorted(sets)
    assert layout_facts('rgbt-mot').sentences == 'class words'


@pytest.mark.parametrize('known', [layout_facts, lambda name: read_layout(name, '.')])
def test_an_unknown_layout_is_told_the_known_ones(known) -> None:
    with pytest.raises(DataError, match=f"'kitti'; choose from {', '.join(LAYOUTS)}"):
        known('kitti')


def test_the_page_about_data_sets_has_a_row_for_every_layout() -> None:
    page = Path(__file__).parents[3] / 'docs' / 'data.md'
    if not page.is_file():
        pytest.skip('the documents are not beside the tests')
    rows = re.findall(r'^\| `([a-z0-9][a-z0-9-]*)` \|', page.read_text('utf-8'), re.MULTILINE)
    assert sorted(rows) == list(LAYOUTS)


@pytest.mark.parametrize('command', [['convert'], ['evaluate']])
def test_help_lists_every_layout(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command, '--help'])
    said = ''.join(capsys.readouterr().out.split())  # lines are broken at spaces and hyphens
    assert ','.join(LAYOUTS) in said


@pytest.mark.parametrize('name', LAYOUTS)
def test_an_empty_folder_is_told_what_was_expected(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match='expected'):
        read_layout(name, tmp_path)
    with pytest.raises(DataError, match='no folder'):
        read_layout(name, tmp_path / 'absent')


@pytest.mark.parametrize('line', ['../../etc+cars', '0005+../../../tmp/x', '0005+a/b',
                                  '0005+red\x1b[2J'])
def test_a_sequence_map_names_nothing_outside_its_folders(tmp_path: Path, line: str) -> None:
    path = tmp_path / 'seqmap.txt'
    path.write_text(f'name\n{line}\n')
    with pytest.raises(DataError, match=r'seqmap.txt:2: .*cannot name a file'):
        refer_kitti.read_seqmap(path)
