"""Write training passages as a data set that loads without a script."""

from synthrank.cli import run
from synthrank.releases.release_passages import release_passages

run(release_passages)
