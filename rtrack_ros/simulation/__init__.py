"""A procedural RGB-thermal world with ground truth and referring expressions."""

from rtrack_ros.simulation.expressions import Expression
from rtrack_ros.simulation.scene import ObjectTruth, Scene, SimFrame, make_scene
from rtrack_ros.simulation.weather import CONDITIONS

__all__ = ['CONDITIONS', 'Expression', 'ObjectTruth', 'Scene', 'SimFrame', 'make_scene']
