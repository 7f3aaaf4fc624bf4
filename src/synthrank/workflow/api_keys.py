"""Check the API keys of hosted LLMs before the first job starts."""

import os
from collections.abc import Iterable, Mapping

from synthrank.config.llms import GeminiLlm, LlmSpec, OpenAiLlm
from synthrank.errors import ConfigError
from synthrank.llms.store.store import folder_of, segment_paths
from synthrank.runtime.environment import store_folder


def check_keys(names: Iterable[str], llms: Mapping[str, LlmSpec]) -> None:
    """Check that the environment has the API key of every hosted LLM.

    An LLM with stored replies passes without a key, because its jobs may need only stored replies.

    Args:
        names: the names of the LLMs whose jobs will run.
        llms: the entities of ``config/llms`` by name.

    Raises:
        ConfigError: a key is not set; one line per key.
    """
    problems: dict[str, str] = {}
    for name in sorted(set(names)):
        spec = llms[name]
        if not isinstance(spec, OpenAiLlm | GeminiLlm) or os.environ.get(spec.key_variable, "").strip():
            continue
        if not segment_paths(folder_of(store_folder(), spec.model)):
            problems.setdefault(
                spec.key_variable,
                f"{spec.key_variable} is not set (needed by config/llms/{name}.yaml); run: export "
                f"{spec.key_variable}=YOUR_KEY (for a server without authentication, any value)",
            )
    if problems:
        raise ConfigError("\n".join(problems.values()))
