"""HTML pieces of a report. Every text that comes from a run goes through `text`, which escapes it."""

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from . import style

TEMPLATE = Path(__file__).with_name("templates") / "report.html"


class Section(NamedTuple):
    """One chapter of the page; `body` is HTML."""

    anchor: str
    title: str
    body: str


def text(value: object) -> str:
    """Escaped for element content and attribute values."""
    return html.escape(str(value), quote=True)


def image(data: bytes, kind: str, about: str) -> str:
    """An image that stands in the page itself. `kind`: "png" or "svg"."""
    media = {"png": "image/png", "svg": "image/svg+xml"}[kind]
    return f'<img alt="{text(about)}" src="data:{media};base64,{base64.b64encode(data).decode()}">'


def picture(figure: Figure, about: str, caption: str = "") -> str:
    """A figure of pixels (tissue), as PNG."""
    return _figure(image(style.png(figure), "png", about), caption)


def chart(figure: Figure, about: str, caption: str = "") -> str:
    """A figure of lines, as SVG: sharp on any screen and on paper."""
    return _figure(image(style.svg(figure), "svg", about), caption)


def _figure(inner: str, caption: str) -> str:
    return f"<figure>{inner}{f'<figcaption>{caption}</figcaption>' if caption else ''}</figure>"


def absent(sentence: str) -> str:
    """What stands where there is nothing to show."""
    return f'<p class="absent">{text(sentence)}</p>'


def numbers(cards: Iterable[tuple[str, str, str]]) -> str:
    """Key numbers: (name, value, remark), plain text."""
    return "".join(
        f"<div><dt>{text(name)}</dt><dd>{text(value)}<small>{text(remark)}</small></dd></div>"
        for name, value, remark in cards
    )


def facts(rows: Iterable[tuple[str, Any]]) -> str:
    """A list of names and values, plain text; empty values are left out."""
    held = [(name, value) for name, value in rows if value not in (None, "")]
    return f'<dl class="facts">{"".join(f"<dt>{text(n)}</dt><dd>{text(v)}</dd>" for n, v in held)}</dl>'


def table(head: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]], hints: Sequence[str] = ()) -> str:
    """A table of plain text. `head`: (title, class of the column, "n" for numbers)."""
    titles = "".join(
        f'<th class="{kind}"{f" title={chr(34)}{text(hints[k])}{chr(34)}" if hints else ""}>{text(title)}</th>'
        for k, (title, kind) in enumerate(head)
    )
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{kind}">{text(value)}</td>' for (_, kind), value in zip(head, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def page(sections: Sequence[Section], **parts: str) -> str:
    """The whole document. `parts` are HTML: title, lead, numbers, portrait, banner, about, footer."""
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        links="".join(f'<a href="#{s.anchor}">{text(s.title)}</a>' for s in sections),
        sections="".join(f'<section><h2 id="{s.anchor}">{text(s.title)}</h2>{s.body}</section>' for s in sections),
        **parts,
    )
