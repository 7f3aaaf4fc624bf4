"""Run by an environment's Python: import modules, and report the file of every loaded module.

Takes a JSON object on standard input: ``path`` for the package's folder, ``imported`` and ``looked_for`` with names of
modules. Writes a JSON object to standard output: ``failed`` with the names that cannot be imported or found, and the
reasons; ``loaded`` with the file of each module that has a file.
"""

import importlib
import importlib.util
import json
import os
import sys


def main() -> None:
    said = os.dup(1)
    os.dup2(2, 1)  # output of libraries during import does not belong to the answer
    asked = json.load(sys.stdin)
    sys.path.insert(0, asked["path"])
    failed = {}
    for name in asked["imported"]:
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    files = {}
    for name in asked["looked_for"]:
        spec = importlib.util.find_spec(name)
        if spec is None:
            failed[name] = "not found"
        else:
            files[name] = spec.origin
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.has_location and spec.origin:
            files[name] = spec.origin
    os.write(said, json.dumps({"failed": failed, "loaded": files}).encode())


main()
