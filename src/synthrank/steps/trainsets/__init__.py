"""Stage trainsets: build the training groups of a recipe."""
