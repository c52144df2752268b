"""Training questions with their answers, by task and by number."""
