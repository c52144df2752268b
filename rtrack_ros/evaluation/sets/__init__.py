"""Tracks and scores of whole data sets."""
