"""Label passages with their rank in orders that others recorded."""

from synthrank.cli import run
from synthrank.trainsets.teacher_trainset import teacher_trainset

run(teacher_trainset)
