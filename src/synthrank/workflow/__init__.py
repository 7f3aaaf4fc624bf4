"""Support for the Snakefile and its commands: inputs, code hashes, plan, monitor and recovery."""
