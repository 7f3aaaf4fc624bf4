"""Stage tables: what people read."""
