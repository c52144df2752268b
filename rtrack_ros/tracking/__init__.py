"""The tracker: moves tracks from frame to frame and corrects them by late answers."""
