"""The server that runs the toy's jobs."""

import json
import os
import socket
import subprocess
from pathlib import Path

from warm import warm_folder


def test_the_server_runs_jobs_after_a_client_was_killed_before_its_answer(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('done')\n")
    request = {"arguments": [str(script)], "folder": str(tmp_path), "environment": dict(os.environ)}
    with Path(os.devnull).open("w") as nowhere:
        for text in (json.dumps(request) + "\n", '{"arguments": '):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(str(warm_folder() / "socket"))
                socket.send_fds(client, [text.encode()], [nowhere.fileno()] * 3)
    run = [str(warm_folder() / "python"), str(script)]
    assert subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout == "done\n"
