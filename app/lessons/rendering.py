"""Markdown to safe HTML: formulas as MathML, terms of the glossary as buttons."""

import functools
import re
from collections.abc import Iterable, Sequence
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import nh3
from latex2mathml import exceptions
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin

from app.lessons.glossary import Term, glossary

LAB = "lab:"
"""A link to an address that begins so sets something of the lab."""
_MATH = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "msup", "msub", "msubsup", "mfrac",
    "msqrt", "mroot", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mstyle", "mpadded",
    "menclose", "mmultiscripts", "mprescripts",
}  # fmt: skip
_TEXT = {
    "p", "br", "hr", "em", "strong", "b", "i", "code", "pre", "kbd", "sub", "sup", "ul", "ol", "li",
    "blockquote", "h3", "h4", "h5", "h6", "a", "button", "table", "thead", "tbody", "tr", "th",
    "td", "dl", "dt", "dd", "figure", "figcaption", "details", "summary", "span", "div",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "button": {"data-lab", "data-term", "data-tip", "aria-haspopup"},
    "math": {"display", "xmlns"},
    "mo": {"stretchy", "fence", "form", "separator", "lspace", "rspace", "minsize", "maxsize"},
    "mi": {"mathvariant"},
    "mspace": {"width"},
    "mfrac": {"linethickness"},
    "mtable": {"columnalign", "rowspacing", "columnspacing"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "td": {"align", "colspan", "rowspan"},
    "ol": {"start"},
}
_NO_LATEX: tuple[type[Exception], ...] = (
    *(
        error
        for error in vars(exceptions).values()
        if isinstance(error, type) and issubclass(error, Exception)
    ),
    ValueError,
    LookupError,
    TypeError,
)
"""What the converter raises at LaTeX that it cannot read."""
_CLEANER = nh3.Cleaner(
    tags=_MATH | _TEXT,
    attributes=_ATTRIBUTES,
    allowed_classes={"button": {"term", "lab-link"}},
    set_tag_attribute_values={"button": {"type": "button"}},
    url_schemes={"http", "https", "mailto"},
)


def parse(text: str) -> list[Token]:
    """The blocks of a Markdown text, with the lines that they come from."""
    return _markdown().parse(text, {"seen": set()})


def render(tokens: Sequence[Token]) -> str:
    """Sanitised HTML of some of the blocks."""
    markdown = _markdown()
    return sanitise(markdown.renderer.render(tokens, markdown.options, {}))


def render_sentence(text: str) -> str:
    """Sanitised HTML of a sentence with formulas and emphasis, without a paragraph."""
    return sanitise(_markdown().renderInline(text, {"seen": set()}))


def lab_links(html: str) -> list[str]:
    """What the links of a rendered text set, as queries: ``tikhonov=10``."""
    return [unescape(found) for found in re.findall(r'data-lab="([^"]*)"', html)]


def sanitise(html: str) -> str:
    """What of ``html`` is harmless: no scripts, styles, frames, handlers, or foreign pictures."""
    return _CLEANER.clean(html)


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Addresses of the web, of this server, and of the lab's own settings."""
        if url.startswith(LAB):
            return True
        try:
            return urlsplit(url).scheme in ("", "http", "https", "mailto")
        except ValueError:  # no address at all
            return False


@functools.cache
def _markdown() -> MarkdownIt:
    markdown = _Markdown("commonmark", {"html": True}).enable("table")
    dollarmath_plugin(markdown, renderer=_formula, allow_space=False, double_inline=True)
    markdown.add_render_rule("link_open", _open_link)
    markdown.add_render_rule("link_close", _close_link)
    markdown.core.ruler.push("terms", _mark_terms)
    return markdown


def _formula(latex: str, options: dict[str, Any]) -> str:
    mode = "block" if options.get("display_mode") else "inline"
    try:
        return convert(latex, display=mode)
    except _NO_LATEX as error:
        raise FormulaError(latex) from error


class FormulaError(ValueError):
    """A formula that is no LaTeX which we understand."""

    def __init__(self, latex: str) -> None:
        super().__init__(f"the formula ${latex.strip()}$ cannot be read; check its braces")


def _open_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    href = str(tokens[index].attrs.get("href", ""))
    if href.startswith(LAB):
        return _opened("button", {"class": "lab-link", "data-lab": href.removeprefix(LAB)})
    return self.renderToken(tokens, index, options, env)


def _close_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    opened = next(
        token
        for token in reversed(tokens[:index])
        if token.type == "link_open" and token.level == tokens[index].level
    )
    return "</button>" if str(opened.attrs.get("href", "")).startswith(LAB) else "</a>"


def _opened(tag: str, attributes: dict[str, str | int | float]) -> str:
    token = Token(f"{tag}_open", tag, 1, attrs=attributes)
    return RendererHTML().renderToken([token], 0, _markdown().options, {})


def _mark_terms(state: StateCore) -> None:
    """Makes each term of the glossary a button where a page first says it."""
    seen: set[str] = state.env.setdefault("seen", set())
    for index, token in enumerate(state.tokens):
        if token.type == "heading_open" and token.tag == "h2":
            seen.clear()
        heading = index > 0 and state.tokens[index - 1].type == "heading_open"
        if token.type == "inline" and token.children and not heading:
            token.children = list(_with_terms(token.children, seen))


def _with_terms(children: Iterable[Token], seen: set[str]) -> Iterable[Token]:
    links = 0
    for child in children:
        links += (child.type == "link_open") - (child.type == "link_close")
        if child.type == "text" and links == 0:
            yield from _split(child.content, seen)
        else:
            yield child


def _split(text: str, seen: set[str]) -> Iterable[Token]:
    known, pattern = _terms()
    at = 0
    for match in pattern.finditer(text):
        term = known[match[0].lower()]
        if term.name in seen:
            continue
        seen.add(term.name)
        yield Token("text", "", 0, content=text[at : match.start()])
        opened = _opened(
            "button",
            {
                "class": "term",
                "data-term": term.name,
                "data-tip": term.says,
                "aria-haspopup": "dialog",
            },
        )
        yield Token("html_inline", "", 0, content=opened)
        yield Token("text", "", 0, content=match[0])
        yield Token("html_inline", "", 0, content="</button>")
        at = match.end()
    yield Token("text", "", 0, content=text[at:])


@functools.cache
def _terms() -> tuple[dict[str, Term], re.Pattern[str]]:
    known = {word.lower(): term for term in glossary() for word in term.words}
    longest_first = sorted(known, key=len, reverse=True)
    alternatives = "|".join(re.escape(word) for word in longest_first)
    return known, re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])", re.IGNORECASE)
