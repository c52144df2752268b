"""Training of the models and of the Siamese network."""
