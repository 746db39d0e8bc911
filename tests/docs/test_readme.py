"""README says of the presets what they say themselves."""

import pytest

from scripts.expectations import README, table, with_table


def test_the_table_is_the_presets_own() -> None:
    text = README.read_text("utf-8")
    assert with_table(text) == text, "run python -m scripts.expectations --write"


def test_the_table_names_arms_and_intervals() -> None:
    rows = {row.split("`")[1]: row for row in table().splitlines()[2:]}
    assert "paths-paper" not in rows, "nobody has run it to its end"
    assert next(iter(rows)) == "trajectory"
    cells = [cell.strip() for cell in rows["collapse"].strip("|").split("|")]
    assert len(cells) == 6
    assert "vanilla, log domain" in cells[5]
    assert all(" to " in cell for cell in cells[3:])


def test_a_readme_without_its_place_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        with_table("nothing")
