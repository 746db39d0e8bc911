"""Prints the API's OpenAPI document, from which the page's types are generated when it is built."""

import json
import sys
from typing import Any

from app.server import create_app
from newton_core.experiment.events import EVENT_ADAPTER


def openapi_document() -> dict[str, Any]:
    """The server's OpenAPI document with the events of a run among its schemas.

    Events travel as Server-Sent Events, whose payloads OpenAPI 3.1 cannot describe.
    """
    document = create_app().openapi()
    event = EVENT_ADAPTER.json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    schemas = event.pop("$defs")
    document["components"]["schemas"] |= {**schemas, "Event": event}
    return document


if __name__ == "__main__":
    json.dump(openapi_document(), sys.stdout)
