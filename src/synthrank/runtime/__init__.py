"""Services of every process: environment variables, progress, torch, machine and revision."""
