"""The trainer of the tracker's Siamese network: its pairs, batches and scores."""
