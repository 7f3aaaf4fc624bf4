"""The ``python`` of :mod:`warm`: it imports next to nothing, for it starts with every job."""

import json
import os
import signal
import socket
import sys


def main(python: str, server: str) -> None:
    """Have the server run what the arguments say, or run it here where it is no script."""
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
    if code < 0:  # it died of a signal, and so does this
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
