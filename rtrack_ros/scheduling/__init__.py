"""What the model is asked, when, and about which part of the image."""
