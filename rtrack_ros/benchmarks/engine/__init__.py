"""All engines that work on a machine, asked the same questions in turn in one run."""
