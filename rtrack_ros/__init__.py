"""Referring RGB-thermal tracking: say in a sentence what to watch, and have it followed.

The package is a plain Python library; only :mod:`rtrack_ros.nodes` knows ROS.
"""

import pkgutil

from rtrack_ros.telemetry import switch_off

__version__ = '0.1.0'

# Modules may be imported from a checkout while the generated ``rtrack_ros.msg`` lives in a built
# workspace: search every place that holds a package of this name.
__path__ = pkgutil.extend_path(__path__, __name__)

# Here, since nothing of ours can load a dependency before it.
switch_off()
