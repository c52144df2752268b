"""Training frames and close views, drawn to disk once for many epochs."""
