"""What torch runs on, and the settings that make a job repeatable and quiet."""

import logging
import os
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

# torch is imported inside functions: a job whose replies are all stored does not wait for it.
# A job reads models from its inputs only; a library that asks the hub for more would make it depend on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# The tokenizers' threads deadlock in forked workers and compete with torch for the job's cores.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

CPUINFO = Path("/proc/cpuinfo")
GPUS = [Path(name) for name in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")]
"""Devices of NVIDIA's and AMD's drivers, and of WSL."""

_log = logging.getLogger(__name__)


def device() -> str:
    """Return ``cuda`` if a GPU is available, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def has_bfloat16() -> bool:
    """Return whether the device computes in bfloat16, as GPUs do from Ampere on and CPUs with AVX-512; say so if not.

    Others emulate it: a CPU with AVX2 alone multiplies matrices at a hundredth of its speed in float32.
    """
    found, name = _bfloat16_of_cpu(), "this CPU"
    if found is None:
        import torch

        if torch.cuda.is_available():
            found, name = torch.cuda.is_bf16_supported(including_emulation=False), torch.cuda.get_device_name()
        else:
            found = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    if not found:
        _log.warning("%s has no bfloat16: float32 takes its place", name)
    return found


def _bfloat16_of_cpu() -> bool | None:
    """Return whether the CPU has bfloat16, by the flags that torch's oneDNN asks for; None if only torch can tell.

    With AVX-VNNI the CPU may have AVX-NE-CONVERT, which oneDNN takes too and Linux does not list.
    """
    listed = re.search(r"^flags\s*:(.*)$", CPUINFO.read_text(), re.MULTILINE) if CPUINFO.is_file() else None
    if listed is None or any(path.exists() for path in GPUS):
        return None
    flags = set(listed[1].split())
    found = flags >= {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
    return found if found or "avx_vnni" not in flags else None


def seed_everything(seed: int) -> None:
    """Seed every random number generator that a trainer or a fresh layer draws from."""
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def computed(name: str) -> str:
    """Return the type that is computed in if one is stated: float32 in place of a bfloat16 that the device lacks.

    The answer for bfloat16 loads torch if there is a GPU.
    """
    return "float32" if name == "bfloat16" and not has_bfloat16() else name


def dtype(name: str) -> Any:
    """Return the torch type that is computed in if a name such as ``bfloat16`` is stated."""
    import torch

    return getattr(torch, computed(name))
