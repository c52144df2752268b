"""Measuring methods of learning: what reinforcement, Advantage Scaling and a sensor give."""
