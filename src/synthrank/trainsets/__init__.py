"""Stage trainsets: training groups, as a recipe says."""
