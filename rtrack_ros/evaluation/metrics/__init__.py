"""Metrics: plain functions of results and truth, one module each."""
