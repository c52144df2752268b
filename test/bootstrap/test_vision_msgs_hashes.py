import json
from pathlib import Path

import pytest

ament_index = pytest.importorskip('ament_index_python')

# The released vision_msgs 4.1.1.
RELEASED = {
    'BoundingBox2D': '008eacbb0cf8f26e83795547bed013eec3675485ef386ec056d80eaaf1c1ce2f',
    'Detection2D': '0d12b69df5c593b3455b7346fac8205437a7d4bcb09b9e0e0b2dde787ded38ea',
    'Detection2DArray': '214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968',
    'ObjectHypothesis': '51da43cec11c01957a64d1e05a24acd18aae7745ec30b74348ad5f6d634f7f90',
    'ObjectHypothesisWithPose':
        '41c12344c0396c48b81df12467c192d99b2a0eb1463c5c37194e4223251c80bc',
    'Point2D': 'eab0e83f44ab4de92ceaf76dd7d0e7638f2bdd1d16ffbe16c7a136c48e407247',
    'Pose2D': 'b0b5d1d7b4c20dd4fcde3ed1d4b289a919290572007d67a97043814db25d3648',
}


@pytest.mark.parametrize('name', RELEASED)
def test_type_hash_is_that_of_the_released_package(name: str) -> None:
    share = Path(ament_index.get_package_share_directory('vision_msgs'))
    description = share / 'msg' / f'{name}.json'
    if not description.is_file():
        pytest.skip('type hashes came with Iron; this ROS is older')
    hashes = {entry['type_name']: entry['hash_string']
              for entry in json.loads(description.read_text())['type_hashes']}
    assert hashes[f'vision_msgs/msg/{name}'] == f'RIHS01_{RELEASED[name]}'
