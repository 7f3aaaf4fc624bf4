"""Run the toy's Python processes as forks of a process that has imported the heavy libraries.

A job of the toy works for a tenth of a second, but importing torch and sentence-transformers takes ten seconds.
:func:`warm_folder` starts a server for all workers of a test run and returns a folder to put first on PATH, with a
``python`` and a ``snakemake``. They pass their arguments, folder, environment and streams to the server, which forks,
and end with the fork's status. The fork imports the project's modules and is killed together with its client. A plain
Python runs everything except scripts, ``-m snakemake`` and ``-m pytest``.
"""

import array
import fcntl
import gc
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

LIBRARIES = (
    "snakemake.cli", "snakemake.api", "snakemake.workflow", "snakemake.profiles", "snakemake.storage",
    "snakemake.report.html_reporter", "cyclopts", "jinja2", "pydantic", "yaml", "tqdm", "numpy", "scipy.stats",
    "pandas", "torch", "transformers", "transformers.models.bert.modeling_bert",
    "transformers.models.t5.modeling_t5", "sentence_transformers", "datasets", "accelerate", "peft", "tokenizers",
    "safetensors.torch", "faiss", "ir_measures", "pytrec_eval", "trectools.fusion", "statsmodels.stats.multitest",
    "pyarrow", "altair", "docutils.core", "openai", "google.genai", "httpx2", "tenacity", "unearth",
)  # fmt: skip
"""Modules imported once: they read no environment variable of a job, except those that the fork sets again."""

OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
"""As synthrank.runtime.torch_setup sets them before it imports torch."""

CLIENT = """\
#!{python} -IS
import sys
sys.path.insert(0, {folder!r})
from warm_client import main
main({python!r}, {server!r})
"""


@cache
def warm_folder() -> Path:
    """Return the folder whose ``python`` uses a fork server; the server ends with the last process that called this."""
    # A socket's path has 107 characters at most, and pytest's folders are deep.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    folder = Path(tempfile.gettempdir(), f"warm-{run}") if run else Path(tempfile.mkdtemp(prefix="warm-"))
    folder.mkdir(exist_ok=True)
    server = folder / "socket"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not server.exists():
            _start(server)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(server))
    connection.sendall(b"null\n")
    _KEPT.append(connection)
    return folder


_KEPT: list[Any] = []
"""Streams that close with this process: a connection, and the server's standard input if this process started it."""


def _start(server: Path) -> None:
    environment = {**os.environ, **OFFLINE}
    for name in ("PYTHONPATH", "OMP_NUM_THREADS"):
        environment.pop(name, None)
    command = [sys.executable, str(Path(__file__).resolve()), str(server)]
    running = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    _KEPT.append(running)
    assert running.stdout is not None
    if running.stdout.readline() != b"ready\n":
        raise RuntimeError("the warm server did not start")
    python, command = server.with_name("python"), server.with_name("snakemake")
    here = str(Path(__file__).resolve().parent)
    python.write_text(CLIENT.format(python=sys.executable, folder=here, server=str(server)))
    command.write_text(f'#!/bin/sh\nexec "{python}" -m snakemake "$@"\n')
    for program in (python, command):
        program.chmod(0o755)


def serve(place: str) -> NoReturn:
    """Fork for every request until no process uses the server."""
    import importlib

    for name in LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # garbage collection in a fork would visit all objects of the libraries and copy their memory
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(place)
    listener.listen(64)
    chosen = selectors.DefaultSelector()
    chosen.register(listener, selectors.EVENT_READ, "new")
    chosen.register(sys.stdin, selectors.EVENT_READ, "kept")
    os.write(1, b"ready\n")
    while True:
        for key, _ in chosen.select():
            what: Any = key.data
            if what == "kept":
                chosen.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
                if not any(other.data == "kept" for other in chosen.get_map().values()):
                    shutil.rmtree(Path(place).parent, ignore_errors=True)
                    os._exit(0)
            elif what == "new":
                _accept(listener, chosen)
            elif key.fileobj is what[0]:  # the client has ended: no process waits for the fork
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
        try:
            part, extra, *_ = client.recvmsg(1 << 20, socket.CMSG_SPACE(3 * streams.itemsize))
        except ConnectionError:
            part = b""
        if not part:  # the client was killed
            client.close()
            for stream in streams:
                os.close(stream)
            return
        text += part
        for level, kind, data in extra:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                streams.frombytes(data)
    request = json.loads(text)
    if request is None:
        chosen.register(client, selectors.EVENT_READ, "kept")
        return
    pid = os.fork()
    if pid == 0:
        listener.close()
        client.close()
        chosen.close()
        _become(request, streams)
    for stream in streams:
        os.close(stream)
    with suppress(ConnectionError):  # a client that was killed is seen as an ended one by the selector
        client.sendall(f"{pid}\n".encode())
    asked = (client, pid)
    chosen.register(client, selectors.EVENT_READ, asked)
    chosen.register(os.pidfd_open(pid), selectors.EVENT_READ, asked)


def _become(request: dict[str, Any], streams: Any) -> NoReturn:
    """Become the requested process."""
    import atexit
    import runpy
    import threading

    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
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
