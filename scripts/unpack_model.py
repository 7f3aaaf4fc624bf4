"""Unpack one pretrained model into a folder of safetensors."""

from synthrank.cli import run
from synthrank.models.unpack_model import unpack_model

run(unpack_model)
