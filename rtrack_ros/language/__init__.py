"""What a model is asked and what it answers: prompts, grammars, the parser, the four tasks."""
