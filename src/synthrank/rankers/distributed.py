"""The processes that torchrun starts for one training, each with its share of every batch.

The rule of the training starts as many as the ranker states as ``gpus``. Without a GPU they share the cores.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthrank.errors import ConfigError, ModelError
from synthrank.variables import turn_bar_off


def is_first() -> bool:
    """Return whether this process is the one that writes: the only one, or the first of several."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def joined(gpus: int) -> Iterator[None]:
    """Run the block as one of the ``gpus`` processes that share each batch, or as the only one.

    The first process writes to the log and shows progress. If processes fail, the first of them to fail raises its
    error and the others end without a word: theirs is the same error, or follows from it, such as a closed connection.

    Raises:
        ConfigError: another number of processes was started.
        ModelError: the machine has fewer GPUs.
    """
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes != gpus:
        raise ConfigError(
            f"gpus: got {gpus}, but the number of training processes is {processes}; start {gpus} by "
            f"`torchrun --standalone --nproc-per-node {gpus}`"
        )
    if gpus == 1:
        yield
        return
    from torch import distributed
    from torch.multiprocessing import _prctl_pr_set_pdeathsig

    # If torchrun is killed, the kernel ends its processes: they would train on beside those of the next attempt.
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
    """Make this process's own GPU its default: every process would load its model onto the first one."""
    import torch

    if not torch.cuda.is_available():
        return
    available = torch.cuda.device_count()
    if available < gpus:
        raise ModelError(f"gpus: got {gpus}, but this machine has {available}; state at most {available}")
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


def _is_first_to_fail() -> bool:
    place = os.environ.get("TORCHELASTIC_ERROR_FILE")  # torchrun's, in a folder per process of one folder per run
    if not place:
        return True
    try:
        (Path(place).parents[1] / "failed").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
