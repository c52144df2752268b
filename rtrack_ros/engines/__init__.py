"""Engines: what runs or reaches a model, all with the interface of ``base``."""
