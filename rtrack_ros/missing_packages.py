"""One line with the remedy where a package is missing, in place of a traceback.

After ``rosdep install`` the node runs. What only some commands need is in extras of ours, and
rosdep has no key for all of it.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Final

EXTRAS: Final = {
    'accelerate': 'train', 'datasets': 'train', 'gguf': 'llamacpp', 'jinja2': 'eval',
    'matplotlib': 'eval',
    'onnx': 'train', 'openvino': 'openvino', 'openvino_genai': 'openvino', 'peft': 'train',
    'ray': 'cluster', 'rosbags': 'bag', 'torch': 'transformers', 'trackers': 'bytetrack',
    'trackeval': 'eval', 'transformers': 'transformers', 'trl': 'train', 'xllamacpp': 'llamacpp',
}
"""Which extra of ours brings a package that may be missing."""

LIBRARIES: Final = {'PIL': 'pillow', 'cv2': 'opencv-python-headless', 'numpy': 'numpy',
                    'rich': 'rich', 'scipy': 'scipy', 'yaml': 'pyyaml'}
"""How pip calls the packages that the library itself needs."""

ROS: Final = ('ament_index_python', 'builtin_interfaces', 'diagnostic_msgs', 'foxglove_msgs',
              'lifecycle_msgs', 'rcl_interfaces', 'rclpy', 'rosgraph_msgs', 'sensor_msgs',
              'std_msgs', 'std_srvs', 'vision_msgs')
"""Packages of ROS that executables of ours import."""


def remedy(error: ModuleNotFoundError) -> str | None:
    """Return what is missing and how to get it, None where it is none of the known packages."""
    name = (error.name or '').partition('.')[0]
    if name in EXTRAS:
        return (f'this needs the package {name}; install it in the folder of rtrack_ros: '
                f"pip install '.[{EXTRAS[name]}]'")
    if name in LIBRARIES:
        return f'this needs the package {name}; install it: pip install {LIBRARIES[name]}'
    if name in ROS:
        return (f'this needs the ROS package {name}; install it: apt install '
                f'ros-$ROS_DISTRO-{name.replace("_", "-")}, and source the set-up of ROS')
    if error.name in ('rtrack_ros.msg', 'rtrack_ros.srv'):
        return 'the messages of rtrack_ros are not there; source the workspace it is built in'
    return None


def run(program: str, module: str) -> None:
    """Run the ``main`` of a module; a missing package ends it with one line.

    Args:
        program: Its name, for the line.
        module: Where ``main`` is.

    Raises:
        SystemExit: with the exit status of ``main``, or the line.
    """
    try:
        main: Callable[[], int | None] = importlib.import_module(module).main
        status = main()
    except ModuleNotFoundError as error:
        text = remedy(error)
        if text is None:
            raise
        sys.exit(f'{program}: {text}')
    sys.exit(status)
