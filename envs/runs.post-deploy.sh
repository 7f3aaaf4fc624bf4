#!/bin/sh
# Snakemake runs this script in the new environment of runs.yaml. Only Anserini's jar is used from pyserini, so its 70
# dependencies are not installed.
set -eu
python -m pip install --quiet --no-input --no-deps pyserini==1.6.0
