"""Engines that run a model, one module each, all with the interface of ``base``."""
