"""The whole node where processor time is scarce: how old boxes are, what is lost, what it scores.

:mod:`~rtrack_ros.benchmarks.pipeline.processor_share` gives a process a part of the processor;
:mod:`~rtrack_ros.benchmarks.pipeline.plays` plays a scene to the node under it.
"""
