#!/bin/sh
# Snakemake runs this in the environment of runs.yaml once it is created. pyserini is taken for Anserini's jar alone:
# its other dependencies, 70 packages with web servers and a second runtime for models among them, are not needed.
set -eu
python -m pip install --quiet --no-input --no-deps pyserini==1.6.0
