"""How the tests of training compute, and small data sets on the disk to train on."""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture(scope='module', autouse=True)
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread: where cores are shared, several wait for each other.

    A short training run took 70 s with one, and more than 300 s with two on two busy cores.
    """
    torch = sys.modules.get('torch')
    if torch is None:  # tests that do without
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='session')
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout rgbt-mot: six frames, in frame k (from 1) all pixels are 40 k.

    Pedestrian 1 is at 10 k, 20 in frames 1 to 3 and pedestrian 2 at 60, 20 throughout, 8 by 16
    pixels; car 3 stands at 90, 40 in frames 3 to 6, 20 by 10 pixels.
    """
    root = tmp_path_factory.mktemp('rgbt-mot')
    video = root / 'train' / 'street'
    for spectrum in ('visible', 'infrared'):
        (video / spectrum).mkdir(parents=True)
        for number in range(1, 7):
            image = np.full((120, 160, 3), 40 * number, np.uint8)
            cv2.imwrite(str(video / spectrum / f'{number:07d}.png'), image)
    rows = [f'{number},1,{10 * number},20,8,16,1,1,1' for number in (1, 2, 3)]
    rows += [f'{number},2,60,20,8,16,1,1,1' for number in range(1, 7)]
    rows += [f'{number},3,90,40,20,10,1,2,1' for number in (3, 4, 5, 6)]
    (video / 'gt').mkdir()
    (video / 'gt' / 'gt.txt').write_text('\n'.join(rows) + '\n')
    return root
