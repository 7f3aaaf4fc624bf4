"""What torch runs on, and the settings that make a job repeatable and quiet."""

import logging
import os
import random
from functools import cache

import numpy as np
import torch

# A job reads models from its inputs only; a library that asks the hub for more would make it depend on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# The tokenizers' threads deadlock in forked workers and compete with torch for the job's cores.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


_log = logging.getLogger(__name__)


def device() -> str:
    """Return ``cuda`` where a GPU is to be had, else ``cpu``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def has_bfloat16() -> bool:
    """Return whether the device computes in bfloat16, as every CPU does and GPUs do from Ampere on; say so if not."""
    # Older GPUs emulate it, slower than float32.
    found: bool = not torch.cuda.is_available() or torch.cuda.is_bf16_supported(including_emulation=False)
    if not found:
        _log.warning("%s has no bfloat16: float32 takes its place", torch.cuda.get_device_name())
    return found


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
