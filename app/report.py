"""A run as one HTML file: the page's own bundle with the log inside, which needs no network.

The file's frame is made here; everything that is seen comes from ``report/report.js`` and
``report/report.css`` of the built page, which reads the JSON of ``#newton-lab-report``:
``{"run": {...}, "figures": {...}, "vocabulary": {...}, "events": [...]}``.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.figures import templates
from app.static import NOT_BUILT, PageNotBuiltError, page_dir, plotly_file
from app.vocabulary import vocabulary

DATA_ID = "newton-lab-report"


def report_html(run: dict[str, Any], events: Iterable[str]) -> Iterator[str]:
    """The parts of the HTML file.

    Args:
        run: about the run; at least ``title``.
        events: the log, each event as JSON text.

    Raises:
        PageNotBuiltError: the page's bundle is not there.
    """
    folder = page_dir() / "report"
    script, style = _read(folder / "report.js"), _read(folder / "report.css")
    return _parts(run, events, script, style)


def _parts(run: dict[str, Any], events: Iterable[str], script: str, style: str) -> Iterator[str]:
    scripts = [_inline_script(code) for code in (plotly_file().read_text("utf-8"), script)]
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(str(run['title']))} · Newton Lab</title>\n"
        f'<style>{_inline_style(style)}</style>\n</head>\n<body>\n<div id="page"></div>\n'
        f'<script type="application/json" id="{DATA_ID}">\n{{"run":{_inline_json(run)},'
        f'"figures":{_inline_json(templates())},'
        f'"vocabulary":{_inline_json(vocabulary().model_dump(mode="json"))},"events":[\n'
    )
    separator = ""
    for event in events:
        yield separator + _escape_json(event)
        separator = ",\n"
    yield "\n]}\n</script>\n"
    yield from (f"<script>{code}</script>\n" for code in scripts)
    yield "</body>\n</html>\n"


def _policy(scripts: Iterable[str]) -> str:
    """What the file may do wherever it is opened: run these scripts, and reach nobody."""
    digests = [hashlib.sha256(code.encode()).digest() for code in scripts]
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline';"
        " img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise PageNotBuiltError(NOT_BUILT) from None


def _inline_json(value: Any) -> str:
    return _escape_json(json.dumps(value, separators=(",", ":")))


def _escape_json(text: str) -> str:
    """JSON that holds no tag: ``<`` only ever stands inside strings."""
    return text.replace("<", "\\u003c")


def _inline_script(code: str) -> str:
    """Code that does not end its own script element; both sequences occur in literals only."""
    return re.sub(r"<(/script|!--)", r"<\\\1", code, flags=re.IGNORECASE)


def _inline_style(code: str) -> str:
    return re.sub(r"</style", r"<\\/style", code, flags=re.IGNORECASE)


def write_report(file: Path, title: str, events: Iterable[str]) -> None:
    """Writes the report of a run that no server has, for the command line.

    Raises:
        PageNotBuiltError: the page's bundle is not there.
        OSError: the file cannot be written.
    """
    parts = report_html({"id": "", "title": title}, events)
    with file.open("w", encoding="utf-8") as out:
        out.writelines(parts)
