"""Training frames from real RGB-thermal clips: pseudo-labels, cutouts, composed scenes."""
