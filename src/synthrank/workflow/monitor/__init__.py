"""Progress of a run of the workflow, read from Snakemake's log. The main process may run on any machine."""
