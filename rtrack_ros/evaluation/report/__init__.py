"""Tables, plots, overlays and pages made from scores."""
