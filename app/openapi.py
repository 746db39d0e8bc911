"""Prints the API's OpenAPI document, from which the page's types are generated when it is built."""

import json
import sys
from typing import Any

from pydantic import TypeAdapter

from app.landscapes.answers import LandscapeStreamEvent
from app.runs.feed import QueuePosition
from app.server import create_app
from newton_core.experiment.events import EVENT_ADAPTER

STREAMED: dict[str, TypeAdapter[Any]] = {
    "Event": EVENT_ADAPTER,
    "QueuePosition": TypeAdapter(QueuePosition),
    "LandscapeStreamEvent": TypeAdapter(LandscapeStreamEvent),
}
"""What travels as Server-Sent Events, whose payloads OpenAPI 3.1 cannot describe."""

NAMED = {
    "title": "Named",
    "description": "A part that is chosen by its name, with its parameters.",
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": True,
}


def openapi_document() -> dict[str, Any]:
    """The server's OpenAPI document, with all that the page's types need.

    What is streamed is among its schemas. A union of parts by name is a ``Named``: registries are
    open, so the page knows no member and reads its parameters in the JSON schema of a spec.
    """
    document = create_app().openapi()
    schemas: dict[str, Any] = document["components"]["schemas"]
    for name, adapter in STREAMED.items():
        schema = adapter.json_schema(
            mode="serialization", ref_template="#/components/schemas/{model}"
        )
        schemas |= schema.pop("$defs", {})
        schemas[name] = schema
    schemas["Named"] = NAMED
    opened: dict[str, Any] = _open_unions(document)
    return opened


def _open_unions(node: Any) -> Any:
    """A copy in which every union that is told apart by ``name`` is a ``Named``."""
    if isinstance(node, list):
        return [_open_unions(part) for part in node]
    if not isinstance(node, dict):
        return node
    discriminator = node.get("discriminator")
    if isinstance(discriminator, dict) and discriminator.get("propertyName") == "name":
        kept = {key: node[key] for key in ("default", "description", "title") if key in node}
        return {"$ref": "#/components/schemas/Named", **kept}
    return {key: _open_unions(part) for key, part in node.items()}


if __name__ == "__main__":
    json.dump(openapi_document(), sys.stdout)
