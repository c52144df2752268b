"""The ring of past frames, with their small images, measured motion and track states."""
