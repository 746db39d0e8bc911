"""Hostile Markdown: nothing that runs, loads or covers the page gets through."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lessons.rendering import parse, render, render_sentence, sanitise

FORBIDDEN = re.compile(
    r"<(script|style|iframe|object|embed|link|meta|base|form|input|img|svg|video|audio|template)\b"
    r"|\son\w+\s*=|javascript:|vbscript:|data:|\sstyle\s*=|\sid\s*=|srcdoc",
    re.IGNORECASE,
)


def tags_of(html: str) -> list[str]:
    return re.findall(r"<[^>]*>", html)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "[x](<java\nscript:alert(1)>)",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](https://example.org/track.png)",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext><script>alert(1)</script></mtext></math>",
        "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml>",
        "<math><mi//xlink:href='data:x,<script>alert(1)</script>'></math>",
        "$\\text{<img src=x onerror=alert(1)>}$",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<style>body{display:none}</style>",
        "<p style='position:fixed;inset:0' onclick=alert(1) id=page>x</p>",
        "<form action='https://example.org'><input name=code></form>",
        "<base href='https://example.org/'>",
        "<button onclick=alert(1) data-lab='x'>x</button>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "`</code><script>alert(1)</script>`",
        "[a](lab:x\"onclick=alert(1))",
    ],
)  # fmt: skip
def test_nothing_runs(hostile: str) -> None:
    for html in (render(parse(hostile)), render_sentence(hostile)):
        for tag in tags_of(html):
            assert not FORBIDDEN.search(tag), html


@given(st.text(max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    html = sanitise(text)
    assert sanitise(html) == html
    for tag in tags_of(html):
        assert not FORBIDDEN.search(tag), html


def test_what_a_lesson_needs_stays() -> None:
    html = render(
        parse("**bold**, [a lesson](lessons/x), [web](https://example.org)\n\n| a |\n|-|\n")
    )
    assert "<strong>bold</strong>" in html
    assert 'href="lessons/x"' in html
    assert 'href="https://example.org"' in html
    assert "<table>" in html
