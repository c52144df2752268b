"""Measuring methods of learning: the gain from reinforcement, Advantage Scaling and a sensor."""
