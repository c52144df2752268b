"""Box detectors of a user's own choice, by the path of their network."""
