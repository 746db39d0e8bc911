"""A reproduction as a page of Markdown."""

from collections.abc import Iterator

from newton_core.evidence.results import ArmResult, Result, RowResult, interval_in_words, shown
from newton_core.statistics import p_in_words

SHOWN = ("better", "worse")
"""What a difference shows beyond doubt."""


def markdown(result: Result, chart: str = "") -> str:
    """The whole page: how it was made, the numbers at a glance, all of them, what they say.

    Args:
        result: what is shown.
        chart: name of a picture beside the page, if there is one.
    """
    parts = [
        f"# {result.title}",
        _what(result),
        *([result.note] if result.note else []),
        *([f"![{result.title}]({chart})"] if chart else []),
        *_overview(result),
        *_beside_paper(result),
        *_details(result),
        _how(result),
    ]
    return "\n\n".join(parts) + "\n"


def _what(result: Result) -> str:
    missing = "" if result.complete else " **Not complete: some rows are missing.**"
    return (
        f"{result.source[:1].upper()}{result.source[1:]}, at the scale `{result.scale}`; made by"
        f" `{result.command}`.{missing}"
    )


def _how(result: Result) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    lines = [
        "## How it was made",
        "",
        f"- {result.date}, on {result.device}, {result.processes} processes of one thread each.",
        f"- {versions}.",
        f"- Report runs took {result.minutes:.1f} minutes of one core; tuning took"
        f" {result.tuning_minutes:.1f} minutes on all processes.",
    ]
    tuned = [row.tuning for row in result.rows if row.tuning is not None]
    if tuned:
        one = tuned[0]
        lines.append(
            f"- Every arm was tuned alone under the same budget, {one.points} settings on"
            f" {len(one.seeds)} seeds from {one.seeds[0]:,} on, which report nothing; the settings"
            " are in the JSON file beside this page."
        )
    else:
        lines.append("- No arm was tuned.")
    if result.rows:
        seeds = result.rows[0].seeds
        lines.append(f"- Reported are the seeds {seeds[0]} to {seeds[-1]}.")
    return "\n".join(lines)


def _overview(result: Result) -> Iterator[str]:
    """Means of all rows with the same arms in one table."""
    if not result.rows:
        return
    labels = [arm.label for arm in result.rows[0].arms]
    if any([arm.label for arm in row.arms] != labels for row in result.rows):
        return
    units = {_unit(row) for row in result.rows}
    what = next(iter(units)) if len(units) == 1 else ""
    words = f"Means over seeds{what}; bold where an arm is better or worse than the first one"
    how = "(paired permutation test, 5 % after Holm's correction over the row's arms)."
    lines = ["## At a glance", "", f"{words} {how}", ""]
    lines += [_cells("row", *labels), _cells("---", *["---:"] * len(labels))]
    for row in result.rows:
        title = row.title if what else row.title + _unit(row)
        lines.append(_cells(title, *(_mean(row, arm) for arm in row.arms)))
    yield "\n".join(lines)


def _mean(row: RowResult, arm: ArmResult) -> str:
    value = shown(row.metric, arm.mean)
    return f"**{value}**" if arm.gain is not None and arm.gain.shows in SHOWN else value


def _beside_paper(result: Result) -> Iterator[str]:
    """What the verdicts say, those that do not hold first."""
    sentences = {
        held: [
            words
            for row in result.rows
            for arm, words in row.sentences
            if (arm.verdict == "reproduced") == held
        ]
        for held in (False, True)
    }
    for held, title in ((False, "What does not reproduce here"), (True, "What reproduces")):
        if sentences[held]:
            yield "\n".join([f"## {title}", "", *(f"- {words}" for words in sentences[held])])
    if not any(sentences.values()):
        yield "The paper has no numbers, or we know none, that these gains could stand beside."


def _details(result: Result) -> Iterator[str]:
    yield "## All numbers"
    for row in result.rows:
        beside = any(arm.paper for arm in row.arms)
        titles = ["arm", "ours" + _unit(row), "difference, 95 % interval", "p, Holm", "better in"]
        if beside:
            titles += ["paper", "ours - paper, 95 % interval"]
        lines = [f"### {row.title}", ""]
        lines += [row.note, ""] if row.note else []
        lines += [_cells(*titles), _cells("---", *["---:"] * (len(titles) - 1))]
        for arm in row.arms:
            lines.append(_cells(*arm_cells(row, arm, beside=beside)))
        yield "\n".join(lines)


def arm_cells(row: RowResult, arm: ArmResult, *, beside: bool) -> list[str]:
    """Label, mean, gain, p, share of seeds that improve and, if wanted, the paper's number."""
    ours = shown(row.metric, arm.mean)
    if arm.diverged:
        ours += f" (diverged in {arm.diverged} of {len(arm.values)})"
    cells = [arm.label, ours]
    if arm.gain is None:
        cells += ["", "", ""]
    else:
        p = "-" if arm.gain.adjusted_p is None else p_in_words(arm.gain.adjusted_p)
        if arm.gain.shows == "too few seeds":
            p = "too few seeds"
        improved = "-" if arm.gain.improved is None else f"{arm.gain.improved:.0%}"
        cells += [interval_in_words(row.metric, arm.gain), p, improved]
    if beside:
        paper = ""
        if arm.paper is not None:
            paper = shown(row.metric, arm.paper.mean)
            if arm.paper.sd is not None:
                paper += f" ± {shown(row.metric, arm.paper.sd)}"
        difference = arm.beside_paper
        cells += [paper, "" if difference is None else interval_in_words(row.metric, difference)]
    return cells


def _unit(row: RowResult) -> str:
    title = row.metric.title[:1].lower() + row.metric.title[1:]
    return f" ({title}, %)" if row.metric.kind == "share" else f" ({title})"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
