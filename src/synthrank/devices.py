"""What torch runs on, and the settings that make a job repeatable and quiet."""

import os
import random

import numpy as np
import torch

# A job reads models from its inputs only; a library that asks the hub for more would make it depend on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# The tokenizers' threads deadlock in forked workers and compete with torch for the job's cores.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def device() -> str:
    """Return ``cuda`` where a GPU is to be had, else ``cpu``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def seed_everything(seed: int) -> None:
    """Seed every random number generator that a trainer or a fresh layer draws from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def dtype(name: str) -> torch.dtype:
    """Return the torch type of a name such as ``bfloat16``."""
    kind = getattr(torch, name)
    assert isinstance(kind, torch.dtype)
    return kind
