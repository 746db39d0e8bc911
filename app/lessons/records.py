"""What a lesson consists of: as its file says it, and as the page gets it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from newton_core.experiment.spec import ExperimentSpec

PageName = Literal["compare", "surfaces", "three-numbers", "gradients"]
Panel = Literal[
    "sentence", "accuracy", "loss", "gradients", "curvature", "cosine", "hessian_spectrum",
    "fisher_spectrum", "gradient_norms", "health", "step", "examples", "landscape", "turn",
]  # fmt: skip
"""Charts by the name of their template, and the panels of the comparing page."""
Setting = str | float | int | bool | list[float]


class _Written(BaseModel):
    """Something that a teacher writes as YAML: an unknown key is a mistake to name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(_Written):
    """The front matter of a lesson."""

    title: str = Field(min_length=1, max_length=100)
    minutes: int = Field(ge=1, le=120, description="how long a student takes")
    order: int = Field(100, description="place in the list; the lowest comes first")
    summary: str = Field("", max_length=300, description="a sentence or two for the list")


class Scene(_Written):
    """What the lab shows beside a page of a lesson."""

    page: PageName = Field("compare", description="page of the lab")
    preset: str | None = Field(None, description="name of a preset, for the page compare")
    spec: dict[str, Any] | None = Field(None, description="a whole spec in a preset's place")
    change: dict[str, Any] = Field(
        {}, description="fields of the spec that are otherwise, e.g. arms.1.tikhonov: 10"
    )
    settings: dict[str, Setting] = Field({}, description="settings of the page, as in its address")
    panels: list[Panel] = Field([], description="what the page compare shows; empty means the rest")
    controls: list[str] = Field([], description="controls that stay; the others are hidden")
    step: int | None = Field(None, ge=0, description="step to show")
    range: tuple[int, int] | None = Field(None, description="steps to play: from, to")
    highlight: str | None = Field(None, description="a control, a chart or an arm to point at")

    @model_validator(mode="after")
    def _one_source(self) -> "Scene":
        if self.page == "compare":
            if (self.preset is None) == (self.spec is None):
                raise ValueError("name either a preset or a spec")
        elif self.preset is not None or self.spec is not None or self.change or self.panels:
            raise ValueError(
                f"preset, spec, change and panels are of the page compare, not of {self.page}"
            )
        if self.step is not None and self.range is not None:
            raise ValueError("say step or range, not both")
        if self.range is not None and not 0 <= self.range[0] < self.range[1]:
            raise ValueError("range: from must be less than to, and neither below 0")
        return self


class _Question(_Written):
    """A prediction before the run."""

    ask: str = Field(min_length=1, description="the question, in words")
    metric: str = Field(description="metric that answers it")
    hints: list[str] = Field([], description="shown one after the other, where asked for")
    explain: str = Field("", description="shown with the answer: why it is so")


class ArmQuestion(_Question):
    """Which arm (or descent) will be ahead?"""

    kind: Literal["arm"]
    step: int = Field(ge=0)
    most: Literal["highest", "lowest"] = Field("highest", description="which value wins")
    among: list[str] = Field([], description="labels to choose from; empty means all")


class NumberQuestion(_Question):
    """What will the metric of an arm be?"""

    kind: Literal["number"]
    arm: str = Field(description="label of the arm")
    step: int = Field(ge=0)
    within: float = Field(0.25, gt=0, description="error that counts as right, as a share")


class CurveQuestion(_Question):
    """How will the metric of an arm go? The student draws it."""

    kind: Literal["curve"]
    arm: str = Field(description="label of the arm")
    low: float = Field(0.0, description="lower end of the axis")
    high: float = Field(1.0, description="upper end of the axis")
    within: float = Field(0.15, gt=0, description="mean error that counts as right, of the axis")

    @model_validator(mode="after")
    def _axis(self) -> "CurveQuestion":
        if not self.low < self.high:
            raise ValueError("low must be less than high")
        return self


Question = Annotated[ArmQuestion | NumberQuestion | CurveQuestion, Field(discriminator="kind")]


class Claim(_Written):
    """Something that the lesson says of a run, checked by measuring it."""

    say: str = Field(min_length=1, description="the sentence")
    metric: str
    arm: str = Field(description="label of the arm or descent")
    step: int | None = Field(None, ge=0, description="empty means the end")
    beside: str | None = Field(None, description="an arm to compare with; empty means none")
    above: float | None = Field(None, description="the value (or the difference) exceeds this")
    below: float | None = Field(None, description="the value (or the difference) is less")
    seeds: int = Field(1, ge=1, le=20, description="from the scene's seed on; each must agree")
    change: dict[str, Any] = Field({}, description="fields of the scene's spec that are otherwise")

    @field_validator("change")
    @classmethod
    def _not_the_seed(cls, change: dict[str, Any]) -> dict[str, Any]:
        if "seed" in change:
            raise ValueError("say how many seeds with 'seeds'")
        return change

    @model_validator(mode="after")
    def _bounded(self) -> "Claim":
        if self.above is None and self.below is None:
            raise ValueError("say above or below, or the claim can never be false")
        return self


class Problem(BaseModel):
    """What is wrong with a lesson's file."""

    line: int = Field(description="counted from 1")
    message: str = Field(description="what is wrong, and what would be right")

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class Measured(BaseModel):
    """What a claim's runs gave."""

    say: str
    key: str = Field(description="of what was computed: scene, claim")
    values: list[float | None] = Field(description="one for each seed")
    holds: bool


class Measurement(BaseModel):
    """The claims of a lesson, measured."""

    lesson: str
    version: str = Field(description="of the lab")
    command: str = Field(description="measures all this again")
    claims: list[Measured]


class SceneView(BaseModel):
    """A scene, as the page puts it into the lab."""

    page: PageName
    spec: ExperimentSpec | None = Field(description="of the page compare alone")
    search: str = Field(description="settings of the page as the query of its address")
    panels: list[Panel]
    controls: list[str]
    start: int | None = Field(description="step to go to; null: where playback is")
    stop: int | None = Field(description="step at which playback rests; null: at the end")
    highlight: str | None


class TextBlock(BaseModel):
    """Text and formulas as sanitised HTML with MathML."""

    kind: Literal["text"] = "text"
    html: str


class QuestionBlock(BaseModel):
    """A question; the answer is in the run, not here."""

    kind: Literal["question"] = "question"
    id: str = Field(description="page and place, by which an answer is kept")
    question: Question


class ClaimBlock(BaseModel):
    """What was measured."""

    kind: Literal["claim"] = "claim"
    say: str = Field(description="the sentence, as HTML")
    values: list[float | None] = Field(description="by seed; empty: not measured yet")


class ProblemBlock(BaseModel):
    """A mistake in the file, where it is."""

    kind: Literal["problem"] = "problem"
    line: int
    message: str


Block = Annotated[
    TextBlock | QuestionBlock | ClaimBlock | ProblemBlock, Field(discriminator="kind")
]


class LessonPage(BaseModel):
    """What is on the screen at once: text, and the lab beside it."""

    title: str
    scene: SceneView | None = Field(description="null: that of the page before stays")
    blocks: list[Block]


class LessonInfo(BaseModel):
    """A lesson in the list."""

    name: str
    title: str
    minutes: int
    order: int
    summary: str
    own: bool = Field(description="whether it is from NEWTON_LAB_LESSONS_DIR")
    pages: int
    problems: int = Field(description="mistakes in its file")


class LessonAnswer(LessonInfo):
    """A lesson, rendered."""

    content: list[LessonPage]
