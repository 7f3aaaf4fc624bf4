"""Write the entity files of a new corpus from its folder under data/."""

from synthrank.cli import command
from synthrank.workflow.new_corpus import main

command(main)
