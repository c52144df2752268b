"""How good a model is at the tasks about one object, on held-out simulated scenes."""
