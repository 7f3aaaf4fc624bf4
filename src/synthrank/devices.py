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
    """Return whether the device computes in bfloat16, as GPUs do from Ampere on and CPUs with AVX-512; say so if not.

    Others emulate it: a CPU with AVX2 alone multiplies matrices at a hundredth of its speed in float32.
    """
    if torch.cuda.is_available():
        found: bool = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        found = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    if not found:
        name = torch.cuda.get_device_name() if torch.cuda.is_available() else "this CPU"
        _log.warning("%s has no bfloat16: float32 takes its place", name)
    return found


def seed_everything(seed: int) -> None:
    """Seed every random number generator that a trainer or a fresh layer draws from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def computed(name: str) -> str:
    """Return the type that is computed in where one is stated: float32 in place of a bfloat16 that the device lacks."""
    return "float32" if name == "bfloat16" and not has_bfloat16() else name


def dtype(name: str) -> torch.dtype:
    """Return the torch type that is computed in where a name such as ``bfloat16`` is stated."""
    kind = getattr(torch, computed(name))
    assert isinstance(kind, torch.dtype)
    return kind
