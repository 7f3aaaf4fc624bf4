"""Training in several processes started by torchrun, each with a part of every batch.

The training's rule starts as many processes as the ranker's ``gpus``. On a machine without GPUs they share the cores.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthrank.errors import ConfigError, ModelError
from synthrank.runtime.environment import turn_bar_off


def is_first() -> bool:
    """Return whether this is the process that writes: the only one, or the first of several."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def join_processes(gpus: int) -> Iterator[None]:
    """Run the block as one of the ``gpus`` processes that share each batch, or as the only process.

    Only the first process writes to the log and shows progress. The first process that fails raises its error; the
    others exit silently, because they fail for the same reason or as a result, such as a closed connection.

    Raises:
        ConfigError: the number of started processes is not ``gpus``.
        ModelError: the machine has fewer GPUs than ``gpus``.
    """
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes != gpus:
        raise ConfigError(
            f"gpus: {gpus} requested, but {processes} training processes run; start them with "
            f"`torchrun --standalone --nproc-per-node {gpus}`"
        )
    if gpus == 1:
        yield
        return
    from torch import distributed
    from torch.multiprocessing import _prctl_pr_set_pdeathsig

    # If torchrun is killed, the kernel ends its processes. Otherwise they would still train during the next attempt.
    _prctl_pr_set_pdeathsig(signal.SIGTERM)
    if not is_first():
        logging.getLogger().setLevel(logging.WARNING)
        turn_bar_off()
    try:
        _take_gpu(gpus)
        yield
    except Exception:
        if not _is_first_to_fail():
            sys.exit(1)
        raise
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _take_gpu(gpus: int) -> None:
    """Select this process's GPU; by default all processes would load their model onto the first GPU."""
    import torch

    if not torch.cuda.is_available():
        return
    available = torch.cuda.device_count()
    if available < gpus:
        raise ModelError(f"gpus: {gpus} requested, {available} available; set at most {available}")
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


def _is_first_to_fail() -> bool:
    error_file = os.environ.get("TORCHELASTIC_ERROR_FILE")  # set by torchrun to RUN/PROCESS/error.json
    if not error_file:
        return True
    try:
        (Path(error_file).parents[1] / "failed").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
