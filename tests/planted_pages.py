# ruff: noqa: E501 (markup is read best as it is)
"""Web pages with planted words: ``c…`` words are content, ``n…`` words stand in what is around it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

FILLER = "the ferry leaves at noon and the pier was closed for repairs in spring".split()


class Planted:
    """Gives sentences and link texts with a word in each that is found once on the page."""

    def __init__(self) -> None:
        self.count = itertools.count()

    def content(self, sentences: int = 3) -> str:
        """Running text with two planted words a sentence."""
        return " ".join(
            f"The {self._word('c')} harbour {' '.join(FILLER[: 5 + i % 9])} {self._word('c')} again."
            for i in range(sentences)
        )

    def short(self) -> str:
        """A few words of content, as in a heading, a cell or an item."""
        return f"Route {self._word('c')}"

    def nav(self) -> str:
        """A link's text of one or two words."""
        return f"{self._word('n')} page"

    def links(self, count: int = 6, tag: str = "li") -> str:
        """Links of a menu."""
        return "".join(f'<{tag}><a href="/{i}">{self.nav()}</a></{tag}>' for i in range(count))

    def line(self) -> str:
        """A sentence that is no content."""
        return f"{self._word('n')} all rights {self._word('n')} reserved"

    def _word(self, kind: str) -> str:
        return f"{kind}{next(self.count):04d}x"


def _body(p: Planted, paragraphs: int = 5) -> str:
    """Headings, paragraphs, lists, a table, a figure, a list of definitions, code, links in text, a list of links."""
    table = (
        f"<table><caption>{p.short()}</caption><tr><th colspan=2>{p.short()}</th></tr>"
        + "".join(f"<tr><td>{p.short()}</td><td>{p.short()}</td></tr>" for _ in range(3))
        + "</table>"
    )
    parts = [f"<p>{p.content()}</p>" for _ in range(paragraphs)]
    return (
        f"<h2>{p.short()}</h2>{parts[0]}<h3>{p.short()}</h3>{''.join(parts[1:3])}"
        f"<ul><li>{p.short()}</li><li>{p.content(1)}</li></ul>{table}"
        f"<figure><img src='a.png' alt='{p.short()}'><figcaption>{p.short()}</figcaption></figure>"
        f"<dl><dt>{p.short()}</dt><dd>{p.content(1)}</dd></dl><pre><code>run {p.short()}</code></pre>"
        f"<p>See <a href='/x'>{p.short()}</a> and {p.content(1)}</p>{''.join(parts[3:])}"
        f"<h3>{p.short()}</h3><ul><li><a href='/a'>{p.short()}</a></li><li><a href='/b'>{p.short()}</a></li>"
        f"<li><a href='/c'>{p.short()}</a></li></ul>"
    )


def _cookies(p: Planted, attributes: str = "class='cookie-consent'") -> str:
    return (
        f"<div {attributes}><p>We use cookies to make this site better {p.nav()}. {p.line()}.</p>"
        f"<button>Accept {p.nav()}</button><a href='#'>Reject all</a></div>"
    )


def semantic(p: Planted) -> str:
    return (
        f"<header><a href='/'>{p.nav()}</a><nav><ul>{p.links()}</ul></nav></header>{_cookies(p)}"
        f"<main><h1>{p.short()}</h1>{_body(p)}</main><aside><h3>{p.nav()}</h3><ul>{p.links()}</ul></aside>"
        f"<footer><p>{p.line()}</p>{p.links(5, 'span')}</footer>"
    )


def article_inside_divs(p: Planted) -> str:
    return (
        f"<div class='topbar'>{p.links(3, 'span')}</div><div id='page'><div class='main-navigation'><ul>{p.links()}</ul>"
        f"</div><article><header><h1>{p.short()}</h1><p>{p.content(1)}</p></header>{_body(p)}"
        f"<footer>{p.content(1)}</footer></article><div class='related-posts'><h3>{p.nav()}</h3>{p.links(4, 'div')}"
        f"</div></div><div class='site-footer'>{p.line()}</div>{_cookies(p)}"
    )


def classed_divs(p: Planted) -> str:
    return (
        f"<div class='header'><div class='logo'><a href='/'>{p.nav()}</a></div><div class='navbar'><ul>{p.links(9)}"
        f"</ul></div></div><div class='breadcrumbs'>{p.links(3, 'span')}</div><div class='wrapper has-sidebar'>"
        f"<div class='content'><h1>{p.short()}</h1>{_body(p)}<div class='share-buttons'>{p.links(4, 'span')}</div></div>"
        f"<div class='sidebar'><h4>{p.nav()}</h4><p>{p.line()} {p.line()} {p.line()} {p.line()}</p>"
        f"<ul>{p.links(8)}</ul></div></div>"
        f"<div class='footer'><div>{p.links(6, 'p')}</div><p>&copy; 2024 {p.line()}</p></div>{_cookies(p, 'id=gdpr')}"
    )


def nameless_divs(p: Planted) -> str:
    return (
        f"<div><a href='/'>{p.nav()}</a></div><div><ul>{p.links(8)}</ul></div><div><h1>{p.short()}</h1>{_body(p)}</div>"
        f"<div><h4>{p.nav()}</h4><ul>{p.links(7)}</ul></div><div><p>&copy; 2024 {p.line()}</p>{p.links(4, 'span')}</div>"
        f"{_cookies(p, '')}"
    )


def flat(p: Planted) -> str:
    return (
        f"<ul>{p.links(7)}</ul><h1>{p.short()}</h1>{_body(p)}<ul>{p.links(5)}</ul><p>Copyright 2024 {p.line()}</p>"
    ).replace("<ul><li><a href='/a'>", "<ul class=list><li><a href='/a'>")


def layout_table(p: Planted) -> str:
    return (
        f"<table width=100%><tr><td colspan=2>{p.links(5, 'b')}</td></tr><tr><td>{p.links(8, 'p')}</td><td>"
        f"<h1>{p.short()}</h1>{_body(p)}</td></tr><tr><td colspan=2><small>&copy; 2004 {p.line()}</small></td></tr></table>"
    )


def wordpress(p: Planted) -> str:
    return (
        f"<div id='page' class='site no-sidebar'><a class='skip-link' href='#content'>Skip to {p.nav()}</a>"
        f"<div id='masthead' class='site-header'><div class='site-branding'><p class='site-title'><a href='/'>{p.nav()}"
        f"</a></p></div><div id='site-navigation'><ul id='primary-menu' class='menu'>{p.links(7)}</ul></div></div>"
        f"<div id='content' class='site-content'><div class='entry-header'><h1 class='entry-title'>{p.short()}</h1>"
        f"<div class='entry-meta'>{p.short()}</div></div><div class='entry-content elementor-widget'>{_body(p)}</div>"
        f"</div><div id='secondary' class='widget-area sidebar'><div class='widget'><h2>{p.nav()}</h2><ul>{p.links(5)}"
        f"</ul></div><div class='widget'>{p.line()}</div></div><div id='colophon' class='site-footer'>{p.line()}"
        f"<a href='/p'>{p.nav()}</a></div></div>"
    )


def docs_site(p: Planted) -> str:
    return (
        f"<div class='sphinxsidebar'><h3>{p.nav()}</h3><ul>{p.links(12)}</ul></div><div class='related'>"
        f"{p.links(4, 'li')}</div><div class='document'><div class='body' role='main'><section id='cookies'>"
        f"<h1>Cookies</h1><p>{p.content()}</p></section><section id='related-work'><h2>Related work</h2><p>{p.content()}"
        f"</p></section><div class='admonition note'><p class='admonition-title'>Note</p><p>{p.content()}</p></div>"
        f"<section id='nav'><h2>Nav {p.short()}</h2>{_body(p)}</section></div></div><div class='footer'>{p.line()}</div>"
    )


def two_articles(p: Planted) -> str:
    return (
        f"<nav>{p.links(6, 'span')}</nav><div class='posts'><article><h2>{p.short()}</h2>{_body(p)}</article>"
        f"<article><h2>{p.short()}</h2><p>{p.content(6)}</p></article></div><aside>{p.links(6, 'p')}</aside>"
        f"<footer>{p.line()}</footer>"
    )


def text_in_breaks(p: Planted) -> str:
    body = "<br><br>".join(p.content(2) for _ in range(6))
    return (
        f"<center>{p.links(6, 'span')}</center><hr><font size=5><b>{p.short()}</b></font><div>{body}</div><hr>"
        f"<div>{p.links(4, 'span')}<br>&copy; 1999 {p.line()}</div>"
    )


def german(p: Planted) -> str:
    return (
        f"<div id='kopf'><ul>{p.links(7)}</ul></div><div id='inhalt'><h1>{p.short()}</h1>{_body(p)}</div>"
        f"<div id='seitenleiste'><ul>{p.links(8)}</ul></div><div id='fuss'>\u00a9 2024 {p.line()} {p.links(3, 'span')}</div>"
        f"<div id='hinweis'><p>Wir verwenden Cookies, um {p.nav()} zu verbessern.</p><button>Zustimmen</button></div>"
    )


def card_page(p: Planted) -> str:
    """A landing page: short texts under headings, each with a link."""
    cards = "".join(
        f"<div class='card'><h3>{p.short()}</h3><p>{p.content(1)}</p><a href='/m'>{p.short()}</a></div>"
        for _ in range(6)
    )
    return (
        f"<div class='site-header'><div class='menu'>{p.links(6, 'span')}</div></div><div class='hero banner'>"
        f"<h1>{p.short()}</h1><p>{p.content(2)}</p></div><div class='cards'>{cards}</div>"
        f"<div class='newsletter-signup'><form><p>{p.line()}</p><input></form></div><div class='page-footer'>{p.line()}</div>"
    )


PAGES: tuple[Callable[[Planted], str], ...] = (
    *(semantic, article_inside_divs, classed_divs, nameless_divs, flat, layout_table, wordpress, docs_site),
    *(two_articles, text_in_breaks, german, card_page),
)


def page(make: Callable[[Planted], str]) -> str:
    """A whole page."""
    return f"<!doctype html><html><head><title>Page</title></head><body>{make(Planted())}</body></html>"


def shares(markup: str, found: str) -> tuple[float, float]:
    """The shares of a page's content words and of its other words that are found in a text."""
    return _share(markup, found, "c"), _share(markup, found, "n")


def _share(markup: str, found: str, kind: str) -> float:
    planted = re.findall(rf"\b{kind}\d{{4}}x\b", markup)
    kept = set(re.findall(rf"\b{kind}\d{{4}}x\b", found))
    return sum(word in kept for word in planted) / max(len(planted), 1)
