"""The streaming benchmark: our tracker and its baselines on held-out simulated scenes."""
