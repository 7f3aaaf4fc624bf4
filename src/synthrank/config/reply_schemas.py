"""JSON Schemas of structured replies, by task. Providers return replies that match them."""

import json

SCHEMA_OF = {
    "passage": json.dumps(
        {
            "type": "object",
            "properties": {"passage": {"type": "string"}},
            "required": ["passage"],
            "additionalProperties": False,
        }
    ),
    "graded": json.dumps(
        {
            "type": "object",
            "properties": {
                "passages": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"level": {"type": "integer"}, "text": {"type": "string"}},
                        "required": ["level", "text"],
                        "additionalProperties": False,
                    },
                }
            },
            "required": ["passages"],
            "additionalProperties": False,
        }
    ),
    "queries": json.dumps(
        {
            "type": "object",
            "properties": {"queries": {"type": "array", "items": {"type": "string"}}},
            "required": ["queries"],
            "additionalProperties": False,
        }
    ),
}
"""Schemas as text, by the task of a prompt file."""
