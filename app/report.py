"""A run as one HTML file: the page's own bundle with the log inside, which needs no network.

The file's frame is made here; everything that is seen comes from ``report/report.js`` and
``report/report.css`` of the built page, with ``report/plotly.js`` (of the plotly package's version,
without maps and 3-D, which would make the file twice as large). It reads the JSON of
``#newton-lab-report``, compressed (gzip) and in letters (base64), which is a third as large:
``{"run": {...}, "figures": {...}, "vocabulary": {...}, "events": [...]}``; a report over seeds
also has ``"others": [{"title": ..., "events": [...]}, ...]``, and one with panels that ask the
server for each step brings the ``"answers": [{"path": ..., "question": ..., "answer": ...}, ...]``.
"""

import base64
import functools
import hashlib
import html
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.figures import templates
from app.static import NOT_BUILT, PageNotBuiltError, page_dir
from app.vocabulary import vocabulary

DATA_ID = "newton-lab-report"


Log = Iterable[str]
"""The events of a run, each as JSON text."""


def check_page() -> None:
    """Makes sure that reports can be made.

    Raises:
        PageNotBuiltError: the page's bundle is not there.
    """
    for name in ("plotly.js", "report.js", "report.css"):
        _read(page_dir() / "report" / name)


def report_html(
    run: dict[str, Any],
    events: Log,
    others: Mapping[str, Log] | None = None,
    answers: Sequence[Mapping[str, Any]] = (),
) -> Iterator[str]:
    """The parts of the HTML file.

    Args:
        run: about the run; at least ``title``.
        events: its log.
        others: the logs of the same run with other seeds, by their titles.
        answers: what its panels would ask the server, with what it says.

    Raises:
        PageNotBuiltError: the page's bundle is not there.
    """
    data = packed(_data(run, events, others or {}, answers))
    return single_page(str(run["title"]), DATA_ID, data)


def packed(parts: Iterable[str]) -> Iterator[str]:
    """A text compressed (gzip) and in letters (base64), part by part."""
    packer = zlib.compressobj(9, wbits=31)
    rest = b""
    for part in parts:
        rest += packer.compress(part.encode())
        whole = len(rest) - len(rest) % 3
        yield base64.b64encode(rest[:whole]).decode()
        rest = rest[whole:]
    yield base64.b64encode(rest + packer.flush()).decode()


def single_page(title: str, data_id: str, data: Iterable[str]) -> Iterator[str]:
    """The parts of an HTML file with everything in it, which may reach nobody.

    Args:
        title: of the page.
        data_id: id of the element that holds the data.
        data: its text, as :func:`packed` makes it.

    Raises:
        PageNotBuiltError: the page's bundle is not there.
    """
    folder = page_dir() / "report"
    codes = [_read(folder / name) for name in ("plotly.js", "report.js")]
    return _parts(title, data_id, data, codes, _read(folder / "report.css"))


def _parts(
    title: str, data_id: str, data: Iterable[str], codes: list[str], style: str
) -> Iterator[str]:
    scripts = [_inline_script(code) for code in codes]
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(title)} · Newton Lab</title>\n"
        f'<style>{_inline_style(style)}</style>\n</head>\n<body>\n<div id="page"></div>\n'
        f'<script type="text/plain" id="{data_id}">\n'
    )
    yield from data
    yield "\n</script>\n"
    yield from (f"<script>{code}</script>\n" for code in scripts)
    yield "</body>\n</html>\n"


def _data(
    run: dict[str, Any], events: Log, others: Mapping[str, Log], answers: Sequence[Any]
) -> Iterator[str]:
    made = {"made": datetime.now(UTC).date().isoformat()}
    yield (
        f'{{"run":{compact(run | made)},"figures":{compact(templates())},'
        f'"vocabulary":{compact(vocabulary().model_dump(mode="json"))},'
        f'"answers":{compact(_drawn(answers))},"events":[\n'
    )
    yield from _joined(events)
    if others:
        yield '\n],"others":['
        for number, (title, log) in enumerate(others.items()):
            yield f'{"," if number else ""}\n{{"title":{compact(title)},"events":[\n'
            yield from _joined(log)
            yield "\n]}"
    yield "\n]}"


def _drawn(answers: Sequence[Any]) -> Any:
    """Answers as pictures need them: to eight digits, since flat losses have their contours too."""
    return json.loads(json.dumps(answers), parse_float=functools.partial(_rounded, 8))


def _joined(events: Log) -> Iterator[str]:
    separator = ""
    for event in events:
        yield separator + shortened(event)
        separator = ",\n"


def _policy(scripts: Iterable[str]) -> str:
    """What the file may do wherever it is opened: run these scripts, and reach nobody."""
    digests = [hashlib.sha256(code.encode()).digest() for code in scripts]
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline';"
        " img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )


def shortened(event: str) -> str:
    """The event as its charts need it: metrics, which are most of a log, to six digits."""
    if '"type":"metrics"' not in event:
        return event
    return compact(json.loads(event, parse_float=functools.partial(_rounded, 6)))


def compact(value: Any) -> str:
    """JSON as a log writes it."""
    return json.dumps(value, separators=(",", ":"))


def _rounded(digits: int, number: str) -> float:
    return float(f"{float(number):.{digits}g}")


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise PageNotBuiltError(NOT_BUILT) from None


def _inline_script(code: str) -> str:
    """Code that does not end its own script element; both sequences occur in literals only."""
    return re.sub(r"<(/script|!--)", r"<\\\1", code, flags=re.IGNORECASE)


def _inline_style(code: str) -> str:
    return re.sub(r"</style", r"<\\/style", code, flags=re.IGNORECASE)


def write_report(file: Path, run: Mapping[str, str], logs: Mapping[str, Log]) -> None:
    """Writes the report of runs that no server has, for the command line.

    Args:
        file: where to.
        run: ``title`` and, over several seeds, ``comparison``: their table as text.
        logs: the runs' logs by their titles, at least one; the first is shown first.

    Raises:
        PageNotBuiltError: the page's bundle is not there.
        OSError: the file cannot be written.
    """
    (title, events), *more = logs.items()
    parts = report_html({"id": "", "shown": title, **run}, events, dict(more))
    with file.open("w", encoding="utf-8") as out:
        out.writelines(parts)
