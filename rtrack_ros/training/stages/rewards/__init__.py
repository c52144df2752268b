"""Rewards of answers, each a plain function of a text and the right boxes.

Every reward works in the coordinates the model writes: IoU and GIoU do not change when the axes
are scaled, so that nothing is gained by going to pixels first. Nothing here needs torch.
"""
