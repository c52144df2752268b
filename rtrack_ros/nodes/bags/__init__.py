"""Nodes that play and record bags."""
