"""The device and type that torch uses, and settings that make jobs repeatable and quiet."""

import logging
import os
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

# torch and numpy are imported inside functions so that a job with only stored replies does not load them.
# Jobs read models only from their inputs. Requests of libraries to the hub would make a job depend on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# The tokenizers' threads deadlock in forked workers and compete with torch for the job's cores.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

CPUINFO = Path("/proc/cpuinfo")
GPUS = [Path(name) for name in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")]
"""Devices of the drivers of NVIDIA and AMD, and of WSL."""

_log = logging.getLogger(__name__)


def device() -> str:
    """Return ``cuda`` if a GPU is available, otherwise ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def has_bfloat16() -> bool:
    """Return whether the device computes in bfloat16, and log a warning if not.

    GPUs since Ampere and CPUs with AVX-512 do. Other devices emulate it: a CPU with only AVX2 multiplies matrices at a
    hundredth of its speed in float32.
    """
    found, name = _bfloat16_of_cpu(), "this CPU"
    if found is None:
        import torch

        if torch.cuda.is_available():
            found, name = torch.cuda.is_bf16_supported(including_emulation=False), torch.cuda.get_device_name()
        else:
            found = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    if not found:
        _log.warning("%s has no bfloat16: using float32", name)
    return found


def _bfloat16_of_cpu() -> bool | None:
    """Return whether the CPU has the flags that oneDNN requires for bfloat16, or None if torch must be imported.

    A CPU with AVX-VNNI may also have AVX-NE-CONVERT, which is sufficient for oneDNN and which Linux does not list.
    """
    listed = re.search(r"^flags\s*:(.*)$", CPUINFO.read_text(), re.MULTILINE) if CPUINFO.is_file() else None
    if listed is None or any(path.exists() for path in GPUS):
        return None
    flags = set(listed[1].split())
    found = flags >= {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
    return found if found or "avx_vnni" not in flags else None


def seed_everything(seed: int) -> None:
    """Seed every random number generator that trainers and new layers use."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def compute_dtype(name: str) -> str:
    """Return the type to compute in: the stated one, or float32 if the device has no bfloat16.

    If there is a GPU, checking for bfloat16 imports torch.
    """
    return "float32" if name == "bfloat16" and not has_bfloat16() else name


def dtype(name: str) -> Any:
    """Return the torch type to compute in for a name such as ``bfloat16``, as :func:`compute_dtype` chooses it."""
    import torch

    return getattr(torch, compute_dtype(name))
