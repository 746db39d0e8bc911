"""``newton-lab lesson``: a teacher's commands.

Heavy modules (torch) are imported inside them: --help answers at once.
"""

from pathlib import Path
from typing import Annotated

import typer

from app.terminal import BAD_INPUT, FAILED, console, errors, stop
from newton_core.workers.loading import quick_imports

lesson = typer.Typer(
    help="Write and check lessons.", rich_markup_mode=None, pretty_exceptions_enable=False
)

NEW = """\
---
title: {title}
minutes: 15
order: 100
summary: One sentence for the list of lessons.
---

## What the first page shows

Text is Markdown. A formula stands between dollar signs: $(C + \\lambda I)^{{-1}} \\nabla \\ell$.
A link can set the lab, here [Newton's λ to 10](lab:arms.2.tikhonov=10).

```scene
preset: trajectory
panels: [accuracy, examples]
controls: [arms.2.tikhonov]
range: [0, 100]
```

```question
kind: arm
ask: Which arm drives most of the paths after 100 steps?
metric: on_path
step: 100
hints:
  - The loss feels an early acceleration far more than a late one.
explain: The Newton step evens out how strongly the loss feels each direction.
```

## What the second page says

```claim
say: After 100 steps the Hessian arm is at least 30 points ahead of vanilla.
metric: on_path
arm: Hessian
beside: Vanilla
step: 100
above: 0.3
```
"""


@lesson.command("new")
def new(file: Annotated[Path, typer.Argument(help="The Markdown file to write.")]) -> None:
    """Write a small lesson to begin with."""
    if file.suffix != ".md":
        stop(f"{file} must end with .md", BAD_INPUT)
    if file.exists():
        stop(f"{file} is there already; choose another name", BAD_INPUT)
    if not file.parent.is_dir():
        stop(f"there is no folder {file.parent}", BAD_INPUT)
    title = file.stem.replace("-", " ").replace("_", " ").capitalize()
    _write(file, NEW.format(title=title))
    console.print(f"{file} is written; newton-lab lesson check {file} says what is wrong with it")


@lesson.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="The lesson's Markdown file.")],
    measure: Annotated[
        bool, typer.Option("--measure", help="Make the runs of its claims, and keep their numbers.")
    ] = False,
) -> None:
    """Say what is wrong with a lesson, line by line; with --measure, also whether it is true."""
    with quick_imports():
        from app.lessons.measuring import ClaimError, claim_key
        from app.lessons.measuring import measure as measure_claims
        from app.lessons.parsing import LessonFileError, lesson_text, read_lesson
        from app.lessons.scenes import SceneError
        from app.lessons.shelf import measured_file, read_measurement

    try:
        text = lesson_text(file)
    except LessonFileError as error:
        stop(str(error), BAD_INPUT)
    found = read_lesson(file.stem, text)
    for problem in found.problems:
        errors.print(f"{file}:{problem.line}: {problem.message}", soft_wrap=True)
    if found.problems:
        raise typer.Exit(BAD_INPUT)
    console.print(
        f"{found.header.title}: {_count(len(found.pages), 'page')},"
        f" {_count(len(found.scenes), 'scene')}, {_count(len(found.claims), 'claim')}",
        soft_wrap=True,
    )
    kept = measured_file(file)
    try:
        if not measure:
            old = read_measurement(kept)
            known = {claim.key for claim in old.claims} if old else set()
            open_ones = [
                one for one in found.claims if claim_key(one.claim, one.scene) not in known
            ]
            for one in open_ones:
                console.print(f"not measured: {one.claim.say}", soft_wrap=True)
            return
        measured = measure_claims(found, lambda say: errors.print(f"measuring: {say}"))
    except (ClaimError, SceneError) as error:
        stop(f"{file}: {error}", BAD_INPUT)
    for claim in measured.claims:
        numbers = ", ".join("none" if value is None else f"{value:.4g}" for value in claim.values)
        word = "true " if claim.holds else "FALSE"
        console.print(f"{word} {claim.say} [{numbers}]", soft_wrap=True, markup=False)
    _write(kept, measured.model_dump_json(indent=2) + "\n")
    if not all(claim.holds for claim in measured.claims):
        raise typer.Exit(FAILED)


@lesson.command("export")
def export(
    lesson: Annotated[str, typer.Argument(help="A lesson's name, or its Markdown file.")],
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of each run.")] = 1,
) -> None:
    """Make a lesson and its runs one HTML file, which needs neither a server nor a network."""
    with quick_imports():
        from app.lessons.exporting import ExportError, export_lesson

    try:
        made = export_lesson(lesson, out, errors, force=force, threads=threads)
    except ExportError as error:
        stop(str(error), BAD_INPUT)
    console.print(
        f"{out} is written: {made.title}, {_count(made.pages, 'page')},"
        f" {_count(made.runs, 'run')}, {made.megabytes:.1f} MB",
        soft_wrap=True,
    )


def _write(file: Path, text: str) -> None:
    """Writes a file, or says in one line why it cannot."""
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        stop(f"cannot write {file}: {error.strerror or error}", BAD_INPUT)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
