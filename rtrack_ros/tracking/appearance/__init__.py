"""How objects look: histograms, and the Siamese network with its weights."""
