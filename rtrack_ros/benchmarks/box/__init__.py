"""How well one target is followed from its first box, beside simple and known trackers."""
