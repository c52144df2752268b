"""What a late answer does: correct its frame, carry boxes to now, replay the frames since."""
