"""Model folders to train: rtrack-nano and Qwen-VL, with the tokenizer."""
