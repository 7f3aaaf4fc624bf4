"""How far a run of the workflow is, by Snakemake's log of it: any head's, here, in tmux or in a job of a cluster."""
