"""The glossary: every term and symbol of lessons, controls and charts, from one file."""

import functools
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict, Field


class Term(BaseModel):
    """A term, in words that a second-year student reads once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    symbol: str = Field("", description="in formulas; empty where it has none")
    says: str = Field(description="what it is")
    also: list[str] = Field([], description="other words and forms for it")
    metrics: list[str] = Field([], description="metrics that charts show of it")
    settings: list[str] = Field([], description="settings that control it")
    lesson: str = Field("", description="name of the lesson that shows it")

    @property
    def words(self) -> list[str]:
        """All words that mean it in a text."""
        return [self.name, *self.also]


@functools.cache
def glossary() -> tuple[Term, ...]:
    """All terms, in alphabetical order."""
    text = (resources.files(__package__) / "glossary.yaml").read_text("utf-8")
    terms = [Term.model_validate(record) for record in yaml.safe_load(text)]
    return tuple(sorted(terms, key=lambda term: term.name.lower()))
