"""The ROS node and all that it needs of ROS."""
