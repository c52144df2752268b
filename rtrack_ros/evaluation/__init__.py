"""Scores of tracks and answers against the truth."""
