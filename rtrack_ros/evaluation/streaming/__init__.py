"""The streaming protocol, in which answers come late, and its baselines."""
