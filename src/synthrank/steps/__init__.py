"""Steps: one module per rule, one folder per stage."""
