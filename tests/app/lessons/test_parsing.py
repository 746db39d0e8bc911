"""A lesson's file becomes pages; what is wrong is said at its line, and what would be right."""

import pytest

from app.lessons.commands import NEW
from app.lessons.parsing import WrittenLesson, read_lesson
from app.lessons.records import ClaimBlock, ProblemBlock, QuestionBlock, TextBlock
from app.lessons.shelf import answer_of

HEAD = "---\ntitle: A title\nminutes: 5\n---\n"
SCENE = "```scene\npreset: trajectory\n```\n"


def lesson(body: str, head: str = HEAD) -> WrittenLesson:
    return read_lesson("mine", head + body)


def problems(body: str, head: str = HEAD) -> list[str]:
    return [str(problem) for problem in lesson(body, head).problems]


def test_the_example_of_lesson_new_is_right() -> None:
    found = read_lesson("mine", NEW.format(title="Mine"))
    assert found.problems == []
    answer = answer_of(found, None, own=True)
    first, second = answer.content
    assert (answer.title, answer.minutes, answer.pages) == ("Mine", 15, 2)
    assert [type(block) for block in first.blocks] == [TextBlock, QuestionBlock]
    assert first.scene.spec.arms[2].label == "Hessian"
    assert (first.scene.start, first.scene.stop) == (0, 100)
    assert second.scene is None  # that of the page before stays
    assert isinstance(second.blocks[0], ClaimBlock)
    assert second.blocks[0].values == []


def test_formulas_become_mathml_and_links_set_the_lab() -> None:
    page = lesson(f"## One\n$\\lambda^2$ and [ten](lab:arms.1.tikhonov=10)\n\n{SCENE}").pages[0]
    html = page.blocks[0].html
    assert "<msup><mi>λ</mi><mn>2</mn></msup>" in html
    assert 'data-lab="arms.1.tikhonov=10"' in html


def test_a_term_is_marked_where_a_page_first_says_it() -> None:
    found = lesson(f"## One\nA saddle is a saddle.\n\n{SCENE}\n## Two\nA saddle, `saddle`.\n")
    first, second = (page.blocks[0].html for page in found.pages)
    assert first.count('data-term="saddle"') == second.count('data-term="saddle"') == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "line 5: the lesson has no page; a page begins with '## Its title'"),
        ("## One\n", "line 5: no page has a scene; say one in a ```scene block"),
        (f"Hello\n\n## One\n{SCENE}", "line 5: text stands before the first page"),
        (f"# Title\n## One\n{SCENE}", "line 5: the title is in the front matter"),
        ("## One\n```scene\npreset: trajektory\n```\n", "line 7: unknown preset 'trajektory'"),
        ("## One\n```scene\npreset: a: b\n```\n", "line 7: the scene is no YAML: mapping values"),
        ("## One\n```scene\ntext\n```\n", "line 6: a scene is lines of 'key: value'"),
        ("## One\n```scene\npage: compare\n```\n", "line 7: name either a preset or a spec"),
        ("## One\n```scene\nprest: heat\n```\n", "line 7: prest: there is no such key"),
        (
            "## One\n```scene\npreset: heat\nstep: 401\n```\n",
            "line 8: step: the run ends at step 400",
        ),
        (
            "## One\n```scene\npreset: heat\nchange: {arms.9.lr: 1}\n```\n",
            "change: arms.9.lr: there are 6 of these, from 0; not '9'",
        ),
        (
            "## One\n```scene\npage: surfaces\nsettings:\n  tikonov: 1\n```\n",
            "line 9: settings: surfaces has no 'tikonov'; it has function, formula",
        ),
        (
            "## One\n```scene\npreset: heat\ncontrols: [arms.7.lr]\n```\n",
            "line 8: controls: there is no 'arms.7.lr'; use seed",
        ),
        (f"## One\n{SCENE}{SCENE}", "line 9: this page has a scene already"),
        ("## One\n```claim\nsay: a\nmetric: b\narm: c\nabove: 1\n```\n", "there is none"),
        (
            f"## One\n{SCENE}```claim\nsay: a\nmetric: b\narm: c\n```\n",
            "line 10: say above or below, or the claim can never be false",
        ),
        (
            f"## One\n{SCENE}```question\nkind: what\n```\n",
            "line 10: Input tag 'what' found using 'kind'",
        ),
        (f"## One\n{SCENE}\n\n$x^$\n", "line 11: the formula $x^$ cannot be read"),
    ],
)  # fmt: skip
def test_mistakes_are_said_at_their_line(body: str, said: str) -> None:
    found = problems(body)
    assert any(said in words for words in found), found


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            f"## One\nA [link](lab:tikhnov=10).\n\n{SCENE}",
            "line 6: the link 'tikhnov=10': tikhnov: Extra inputs",
        ),
        (
            f"## One\nA [link](lab:arms.9.lr=1).\n\n{SCENE}",
            "line 6: the link 'arms.9.lr=1': arms.9.lr: there are",
        ),
        (
            f"## One\n{SCENE}\n\n## Two\nA [link](lab:step=1000000).",
            "the link 'step=1000000': the run ends at step",
        ),
        (
            f"## One\n{SCENE}\n\n```question\nkind: arm\nask: Who?\nmetric: loss\nstep: 1\n"
            "among: [Vanilla, Nobody]\n```\n",
            "there is no arm 'Nobody'; there are Vanilla, ",
        ),
        (
            f"## One\n{SCENE}\n\n```claim\nsay: x\nmetric: loss\narm: Nobody\nabove: 1\n```\n",
            "there is no arm 'Nobody'; there are Vanilla, ",
        ),
        (f"## One\n{SCENE}\n\n```claim\nsay: x\nmetric: loss\n```\n", "arm: Field required"),
    ],
)
def test_what_is_said_of_a_scene_is_held_against_it(body: str, said: str) -> None:
    found = problems(body)
    assert any(said in words for words in found), found


def test_a_mistake_of_a_link_stands_below_its_text() -> None:
    question = "```question\nkind: arm\nask: Who?\nmetric: loss\nstep: 1\n```"
    page = lesson(f"## One\n[a](lab:b=1)\n\n{question}\n\nText\n\n{SCENE}").pages[0]
    kinds = [type(block) for block in page.blocks]
    assert kinds == [TextBlock, ProblemBlock, QuestionBlock, TextBlock]


def test_a_scene_with_a_mistake_is_the_only_mistake() -> None:
    claim = "```claim\nsay: x\nmetric: loss\narm: Nobody\nabove: 1\n```"
    found = problems(f"## One\n```scene\npreset: trajektory\n```\n\n{claim}\n\n[a](lab:b=1)")
    assert len(found) == 1, found
    assert "did you mean 'trajectory'?" in found[0]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("", "line 1: the file must begin with '---'"),
        ("---\ntitle: [\n---\n", "the front matter is no YAML"),
        ("---\nminutes: 5\n---\n", "line 2: title: Field required"),
        ("---\ntitle: A\nminutes: many\n---\n", "line 3: minutes: Input should be a valid integer"),
    ],
)
def test_mistakes_of_the_front_matter(head: str, said: str) -> None:
    found = problems(f"## One\n{SCENE}", head)
    assert any(said in words for words in found), found


def test_mistakes_stand_where_they_are_and_the_rest_is_shown() -> None:
    page = lesson(f"## One\nBefore\n\n```claim\nx: 1\n```\n\nAfter\n\n{SCENE}").pages[0]
    kinds = [type(block) for block in page.blocks]
    assert kinds[0] is TextBlock
    assert kinds[-1] is TextBlock
    assert ProblemBlock in kinds
