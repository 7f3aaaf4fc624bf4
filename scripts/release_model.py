"""Write a trained ranker as a folder that other libraries load."""

from synthrank.cli import run
from synthrank.releases.release_model import release_model

run(release_model)
