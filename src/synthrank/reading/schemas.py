"""What a structured reply looks like, by task: the JSON Schemas that providers are asked to keep to."""

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
"""By the task of a prompt file, as text."""
