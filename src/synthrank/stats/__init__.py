"""Statistics of runs: measures, bootstrap, significance tests, Holm's correction, e-values and power."""
