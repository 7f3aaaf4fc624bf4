"""Run the toy's Python processes as forks of one that has imported the heavy libraries.

A job of the toy works for a tenth of a second and imports torch and sentence-transformers for ten. :func:`warm_folder`
starts a server and returns a folder to put first on PATH, with a ``python`` and a ``snakemake``. They hand their
arguments, folder, environment and streams to the server, which forks, and end with the fork's status. The fork imports
the project's own modules, and is killed when its client is. Anything but a script or ``-m snakemake`` is run by a plain
Python.
"""

import array
import atexit
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

LIBRARIES = (
    "snakemake.cli", "snakemake.api", "snakemake.workflow", "cyclopts", "jinja2", "pydantic", "yaml", "tqdm",
    "numpy", "scipy.stats", "pandas", "torch", "transformers", "sentence_transformers", "datasets", "accelerate",
    "peft", "tokenizers", "safetensors.torch", "faiss", "ir_measures", "statsmodels.stats.multitest", "pyarrow",
    "altair", "docutils.core", "openai", "google.genai", "httpx2", "tenacity",
)  # fmt: skip
"""Imported once: none reads an environment variable of a job, but those that the fork sets again."""

OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
"""As synthrank.devices sets them before it imports torch."""

CLIENT = """\
#!{python} -IS
import sys
sys.path.insert(0, {folder!r})
from warm_client import main
main({python!r}, {server!r})
"""


@cache
def warm_folder() -> Path:
    """Return the folder whose ``python`` forks a server, which is started once and ends with this process."""
    # A socket's path has 107 characters at most, and pytest's folders are deep.
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = folder / "socket"
    environment = {**os.environ, **OFFLINE}
    for name in ("PYTHONPATH", "OMP_NUM_THREADS"):
        environment.pop(name, None)
    command = [sys.executable, str(Path(__file__).resolve()), str(server)]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert running.stdout is not None
    if running.stdout.readline() != b"ready\n":
        raise RuntimeError("the warm server did not start")
    atexit.register(running.kill)
    python = folder / "python"
    here = str(Path(__file__).resolve().parent)
    python.write_text(CLIENT.format(python=sys.executable, folder=here, server=str(server)))
    command = folder / "snakemake"
    command.write_text(f'#!/bin/sh\nexec "{python}" -m snakemake "$@"\n')
    for program in (python, command):
        program.chmod(0o755)
    return folder


def serve(place: str) -> NoReturn:
    """Fork for every request until standard input is closed."""
    import importlib

    for name in LIBRARIES:
        importlib.import_module(name)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(place)
    listener.listen(64)
    chosen = selectors.DefaultSelector()
    chosen.register(listener, selectors.EVENT_READ, "new")
    chosen.register(sys.stdin, selectors.EVENT_READ, "end")
    os.write(1, b"ready\n")
    while True:
        for key, _ in chosen.select():
            what: Any = key.data
            if what == "end":
                os._exit(0)
            elif what == "new":
                _accept(listener, chosen)
            elif key.fileobj is what[0]:  # the client has gone: nobody waits for the fork
                os.kill(what[1], signal.SIGKILL)
                chosen.unregister(what[0])
            else:
                _, status = os.waitpid(what[1], 0)
                chosen.unregister(key.fileobj)
                os.close(key.fileobj)  # type: ignore[arg-type]
                try:
                    what[0].sendall(f"{status}\n".encode())
                    chosen.unregister(what[0])
                except (OSError, KeyError):
                    pass
                what[0].close()


def _accept(listener: socket.socket, chosen: selectors.BaseSelector) -> None:
    client, _ = listener.accept()
    text, streams = b"", array.array("i")
    while not text.endswith(b"\n"):
        part, extra, *_ = client.recvmsg(1 << 20, socket.CMSG_SPACE(3 * streams.itemsize))
        if not part:
            client.close()
            return
        text += part
        for level, kind, data in extra:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                streams.frombytes(data)
    pid = os.fork()
    if pid == 0:
        listener.close()
        client.close()
        chosen.close()
        _become(json.loads(text), streams)
    for stream in streams:
        os.close(stream)
    client.sendall(f"{pid}\n".encode())
    asked = (client, pid)
    chosen.register(client, selectors.EVENT_READ, asked)
    chosen.register(os.pidfd_open(pid), selectors.EVENT_READ, asked)


def _become(request: dict[str, Any], streams: Any) -> NoReturn:
    """Be the process that was asked for."""
    import runpy
    import threading

    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    if threads := os.environ.get("OMP_NUM_THREADS"):
        import threadpoolctl
        import torch

        torch.set_num_threads(int(threads))
        threadpoolctl.threadpool_limits(int(threads))
    arguments = request["arguments"]
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    first = os.getcwd() if arguments[0] == "-m" else str(Path(arguments[0]).resolve().parent)
    sys.path[:] = [first, *paths, *sys.path[1:]]
    code: Any = 0
    try:
        if arguments[0] == "-m":
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    serve(sys.argv[1])
