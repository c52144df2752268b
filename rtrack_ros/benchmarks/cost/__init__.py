"""What tracking costs: processor time per pair, delay over DDS, memory; a ROS baseline beside it.

:mod:`~rtrack_ros.benchmarks.cost.pair_cost` counts processor time of one thread, stage by stage;
:mod:`~rtrack_ros.benchmarks.cost.live` plays a recording to the real node and reads what came out.
"""
