"""Recordings and data sets on disk: bags, videos, and sequences with truth."""
