"""What a model is worth at the tasks about one object, on held-out simulated scenes."""
