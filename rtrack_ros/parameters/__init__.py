"""Parameters of the node: one schema, their values, and the files written from it."""
