"""The trainer of rtrack-nano: batches, augmentation, losses, decoding."""
