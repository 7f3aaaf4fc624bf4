"""What makes two requests the same: the hash by which a reply is stored and found."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict

from synthrank.records import Request


def request_key(identity: Mapping[str, object], request: Request) -> str:
    """Return 64 hexadecimal digits that are equal exactly for requests that ask the same.

    Args:
        identity: what the model is and how it samples: everything but the request that determines the answer.
        request: the messages, the number of the sample and the schema count; which query they are for does not.
    """
    content: list[object] = [dict(identity), [asdict(message) for message in request.messages], request.sample]
    if request.schema:
        content.append(request.schema)
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
