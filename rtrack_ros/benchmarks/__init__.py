"""Measurements behind the figures in the documents, and the pages that show them."""
