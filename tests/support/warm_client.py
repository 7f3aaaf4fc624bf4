"""The ``python`` of :mod:`warm`. It imports almost nothing, because every job starts it."""

import json
import os
import signal
import socket
import sys


def main(python: str, server: str) -> None:
    """Let the server run the arguments if they name a script; otherwise run them here."""
    arguments = sys.argv[1:]
    script = bool(arguments) and arguments[0].endswith(".py")
    module = arguments[:2] in (["-m", "snakemake"], ["-m", "pytest"])
    if not (script or module) or "PYTHONHASHSEED" in os.environ:
        os.execv(python, [python, *arguments])
    request = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(server)
        socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], [0, 1, 2])
        answers = connection.makefile("r")
        fork = int(answers.readline())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: os.kill(fork, number))
        status = answers.readline()
    if not status:
        os._exit(137)
    code = os.waitstatus_to_exitcode(int(status))
    if code < 0:  # the fork died of a signal; end with the same signal
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
