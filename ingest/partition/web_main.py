"""What a web page says against what stands around it: menus, banners on cookies, side columns, footers.

A page that names its main part is believed. On any other one, a block goes when its own name or role says what it
is, or when it stands beside the running text and holds little but links. Running text is never dropped for lack of
a name: a menu that stays costs less than a paragraph that is lost.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]

MAIN_SHARE = 0.4
"""Share of the page's text that a main part must hold to be taken for the whole."""
FURNITURE_SHARE = 0.5
"""A block with more of the page's text than this is the page, whatever its name says."""
PROSE_CHARACTERS = 60
"""A block with so many characters outside of links is running text: about ten words."""
LINKED_SHARE = 0.5
"""A block beside the running text with more of its text in links than this is a menu."""
ONLY_LINKS = 0.9
"""A block with at least so much of its text in links holds nothing else."""
BANNER_WORDS = 120
"""A notice on cookies is shorter than this; a longer one is the site's policy, which is content."""
CONTAINER_SHARE = 0.75
"""The deepest block with so much of the running text is where the text stands."""

_ROLES = {
    *("navigation", "banner", "contentinfo", "complementary", "search", "menu", "menubar", "toolbar", "tablist"),
    *("dialog", "alertdialog"),
}
_NOTES = {
    "note",
    "admonition",
    "tip",
    "warning",
    "callout",
    "footnote",
    "footnotes",
    "important",
    "caution",
    "pullquote",
}
_COOKIES = {"cookie", "cookies", "consent", "gdpr", "ccpa", "cookiebar", "cookiebanner"}
_FURNITURE = {
    *("nav", "navbar", "navigation", "navi", "menu", "menus", "submenu", "topnav", "sidenav", "breadcrumb"),
    *("breadcrumbs", "footer", "sitefooter", "sidebar", "sidebars", "rail", "topbar", "masthead", "toolbar"),
    *("pagination", "pager", "share", "sharing", "social", "newsletter", "subscribe", "signup", "login", "signin"),
    *("advert", "advertisement", "advertising", "ads", "ad", "promo", "sponsor", "sponsored", "popup", "modal"),
    *("overlay", "related", "recommended", "recommendations", "trending", "popular", "skip", "skiplink", "copyright"),
    *("colophon", "aside", "search", "searchbox", "searchform", "banner", "widgets", "sitemap", "languages"),
    *("navbox", "catlinks"),
}
_LINKED_ONLY = {"dropdown", "actionbar", "buttonbar", "interlanguage"}
"""Names that say it of a block of links alone: answers to questions drop down as well."""
_WHOLE_NAMES = {"side", "bottom", "foot"}
"""Names that say it only when they are all of a class or an id: "side-by-side" is none."""
_SURE = {
    *("sidebar", "sidebars", "footer", "sitefooter", "newsletter", "advert", "advertisement", "ads", "navbar"),
    *("sponsored", "breadcrumbs", "breadcrumb", "popup", "modal", "copyright", "colophon", "masthead", "topbar"),
}
"""Names that a block of running text may bear and be furniture all the same."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = (
    *("div", "section", "aside", "header", "footer", "ul", "ol", "dl", "menu", "form", "table", "tbody", "tr", "td"),
    *("p", "center", "dialog", "hgroup"),
)
_PROSE = frozenset({"p", "li", "dd", "blockquote", "td", "th", "figcaption", "div", "section", "article", "center"})
_KEPT = frozenset({"pre", "table", "figure", "math", "video"})
_ACCEPT = re.compile(
    r"\b(?:accept|agree|allow|got it|ok(?:ay)?|decline|reject|refuse|deny|consent|preferences|settings"
    r"|akzeptieren|zustimmen|ablehnen|einverstanden|accepter|refuser|aceptar|rechazar|accetta|rifiuta|accepteren)\b",
    re.IGNORECASE,
)
_COOKIE_WORD = re.compile(r"\b(?:cookies?|galletas|gdpr)\b", re.IGNORECASE)
_COPYRIGHT = re.compile(
    r"\u00a9|\(c\)\s*\d{4}|\bcopyright\b|\ball rights reserved\b|alle rechte vorbehalten", re.IGNORECASE
)
_SKIP = re.compile(r"^\s*(?:skip|jump|zum inhalt|aller au contenu|saltar)\b", re.IGNORECASE)


@dataclass(slots=True)
class _Weight:
    """Characters in a block: all, those in links, those of running text; and how many links."""

    text: int = 0
    linked: int = 0
    prose: int = 0
    links: int = 0


def main_content(body: HtmlElement) -> HtmlElement:
    """The main part if the page names one that holds enough of its text, else the body without what is around.

    The only ``h1`` of a page comes along when it stands outside of the main part.
    """
    drop_nodes(list(_banners(body)))
    titles = body.xpath(".//h1")
    title = titles[0] if len(titles) == 1 else None
    kept_title = copy.deepcopy(title) if title is not None else None
    drop_nodes(list(_named(body)))
    main = _main_part(body)
    if main is body:
        drop_nodes(list(_menus(body)))
    if kept_title is not None and not main.xpath(".//h1"):
        kept_title.tail = None
        main.insert(0, kept_title)
        main.text, kept_title.tail = None, main.text
    return main


def weight(node: HtmlElement) -> int:
    """Characters of text in a node."""
    return sum(len(text.strip()) for text in node.itertext())


def drop_nodes(nodes: Iterable[HtmlElement]) -> None:
    """Take nodes with all that is in them out of their tree; the text after them stays."""
    for node in nodes:
        if node.getparent() is not None:
            node.drop_tree()


def _main_part(body: HtmlElement) -> HtmlElement:
    whole = weight(body)
    mains = body.xpath(".//main | .//*[@role='main']")
    main = max(mains, key=weight, default=None)
    if main is not None and weight(main) >= MAIN_SHARE * whole:
        return main
    articles = body.xpath(".//article[not(ancestor::article)]")
    if articles and sum(map(weight, articles)) >= MAIN_SHARE * whole:
        return _around(articles, body)
    return body


def _around(nodes: list[HtmlElement], body: HtmlElement) -> HtmlElement:
    """The deepest element that holds all of these."""
    if len(nodes) == 1:
        return nodes[0]
    shared = set.intersection(*({*node.iterancestors()} for node in nodes))
    return next((a for a in nodes[0].iterancestors() if a in shared), body)


# By name.


def _banners(body: HtmlElement) -> Iterable[HtmlElement]:
    """Notices that ask to accept cookies, and links that skip to the content."""
    for node in body.iter("div", "section", "aside", "form", "dialog", "p", "footer"):
        text = " ".join(node.itertext())
        if len(text) > BANNER_WORDS * 12 or not _COOKIE_WORD.search(text) or len(text.split()) > BANNER_WORDS:
            continue
        asked = [" ".join(c.itertext()) for c in node.iter("button", "a")] + node.xpath(".//input/@value")
        if any(_ACCEPT.search(choice) for choice in asked) and not node.xpath(".//h1|.//article|.//main"):
            yield node
    for link in body.xpath(".//a[starts-with(@href, '#')]"):
        if _SKIP.match("".join(link.itertext())):
            yield link


def _named(body: HtmlElement) -> Iterable[HtmlElement]:
    """Blocks whose tag, role or name says that they stand around the content."""
    whole = max(weight(body), 1)
    for node in body.iter("nav", "menu", *_BLOCKS):
        if node is body or not _is_named(node):
            continue
        if node.tag == "nav" or weight(node) <= FURNITURE_SHARE * whole:
            yield node


def _is_named(node: HtmlElement) -> bool:
    if node.tag == "nav":
        return True
    names = _names(node)
    if {*node.get("class", "").split(), node.get("id", "")} & _WHOLE_NAMES:
        names.add("aside")
    if names & _NOTES or node.xpath(".//main|.//article"):
        return False
    if node.get("role", "").lower() in _ROLES or (node.tag == "dialog" and node.get("open") is None):
        return True
    if node.tag in ("header", "footer", "aside") and not _is_inside_text(node):
        return True
    if names & _LINKED_ONLY and _linked(node) >= ONLY_LINKS * max(weight(node), 1):
        return True
    if not names & (_FURNITURE | _COOKIES) or _is_section(node):
        return False
    return bool(names & (_SURE | _COOKIES)) or not _has_prose(node)


def _is_inside_text(node: HtmlElement) -> bool:
    """Whether a header, footer or aside belongs to a part of the content, and not to the page."""
    if next(node.iterancestors("main", "article", "blockquote"), None) is None and not (
        node.tag == "header" and next(node.iterancestors("section"), None) is not None
    ):
        return False
    return node.tag == "header" or _linked(node) <= LINKED_SHARE * weight(node)


def _linked(node: HtmlElement) -> int:
    """Characters in links."""
    return sum(weight(a) for a in node.iter("a"))


def _is_section(node: HtmlElement) -> bool:
    """Whether a name is the anchor of a heading: the section "Cookies" of a manual bears the name ``cookies``."""
    first = next(node.iterchildren(*HEADINGS), None)
    if first is None or not node.get("id"):
        return False
    said = {w.lower() for w in _WORD.findall("".join(first.itertext()))}
    return {w.lower() for w in _WORD.findall(node.get("id"))} <= said


def _names(node: HtmlElement) -> set[str]:
    given = f"{node.get('class', '')} {node.get('id', '')}"
    # "has-sidebar", "with-nav", "no-footer", "two-right-sidebar" are said of the block that is not one.
    given = re.sub(r"\b(?:has|with|no|without|is|hide|show|one|two|three|four|\d)[-_]\S+", " ", given)
    names: set[str] = set()
    for name in given.split():
        words = [word.lower() for word in _WORD.findall(name)]
        # "action-bar" and "skip-link" are "actionbar" and "skiplink".
        names |= {*words, *(a + b for a, b in pairwise(words))}
    return names


def holds_prose(node: HtmlElement) -> bool:
    """Whether a block is or holds running text, outside of links."""
    return weight(node) - _linked(node) >= PROSE_CHARACTERS


def _has_prose(node: HtmlElement) -> bool:
    return any(holds_prose(p) for p in node.iter("p", "dd", "blockquote")) or any(True for _ in node.iter("pre", "h1"))


# By what a block holds.


def _menus(body: HtmlElement) -> Iterable[HtmlElement]:
    """Blocks of links, and lines on copyright, that stand beside the running text."""
    weights = _weigh(body)
    if weights[body].prose < PROSE_CHARACTERS:
        return
    container = _container(body, weights)
    inside = {container, *container.iterancestors()}
    for node in body.iter(*_BLOCKS):
        if node in inside or (container is not body and _is_below(node, container)):
            continue
        if _is_menu(node, weights[node], is_flat=container is body):
            yield node
    if container is body:
        return
    yield from (n for n in container.iterchildren("ul", "ol", "div", "p", "table") if _is_edge(n, weights))


def _is_below(node: HtmlElement, container: HtmlElement) -> bool:
    return any(a is container for a in node.iterancestors())


def _is_menu(node: HtmlElement, found: _Weight, *, is_flat: bool) -> bool:
    if not found.text or node.xpath(".//h1|.//pre|.//figure|.//th"):
        return False
    text = " ".join(node.itertext())
    if _COPYRIGHT.search(text) and found.text <= 600 and not _follows(node):
        return True
    least = 1 if not is_flat else 2 if _is_ruled_off(node) else 3
    if found.prose or found.links < least or found.linked <= LINKED_SHARE * found.text:
        return False
    return not (is_flat and _is_headed(node))


def _is_edge(node: HtmlElement, weights: dict[HtmlElement, _Weight]) -> bool:
    """Whether a child of the text's own block is a menu before all of its text or after it."""
    found = weights[node]
    if not found.links or not _is_menu(node, found, is_flat=True):
        return False
    before = any(weights[s].prose for s in node.itersiblings(preceding=True) if s in weights)
    return not before or not _follows(node)


def _is_ruled_off(node: HtmlElement) -> bool:
    """Whether a line is drawn above a block, and no running text follows it."""
    before = node.getprevious()
    return before is not None and before.tag == "hr" and not _follows(node)


def _is_headed(node: HtmlElement) -> bool:
    """Whether a heading, or a line that announces it, stands directly before a list of links."""
    before = node.getprevious()
    if before is None or (node.tail is None and before.tag == "hr"):
        return False
    return before.tag in HEADINGS or "".join(before.itertext()).rstrip().endswith(":")


def _follows(node: HtmlElement) -> bool:
    """Whether running text follows a block."""
    return any(
        len("".join(s.itertext()).strip()) >= 2 * PROSE_CHARACTERS and not _COPYRIGHT.search("".join(s.itertext()))
        for s in node.itersiblings("p", "div", "section", "ul", "ol", "table", "blockquote", "pre")
    )


def _weigh(body: HtmlElement) -> dict[HtmlElement, _Weight]:
    """The weights of all elements, found from the leaves up."""
    nodes = list(body.iter())
    weights = {node: _Weight() for node in nodes}
    for node in reversed(nodes):
        own = weights[node]
        own.text += len((node.text or "").strip())
        if node.tag == "a":
            own.linked, own.links = own.text, 1
        free = own.text - own.linked
        if node.tag in _KEPT:
            own.prose = max(own.prose, own.text)
        elif node.tag in _PROSE and not own.prose and free >= max(PROSE_CHARACTERS, own.linked):
            own.prose = free
        if node is body:
            break
        above = weights[node.getparent()]
        above.text += own.text + len((node.tail or "").strip())
        above.linked += own.linked
        above.prose += own.prose
        above.links += own.links
    return weights


def _container(body: HtmlElement, weights: dict[HtmlElement, _Weight]) -> HtmlElement:
    """The deepest block that holds most of the running text."""
    wanted = CONTAINER_SHARE * weights[body].prose
    found = body
    while True:
        inner = next((c for c in found.iterchildren() if weights[c].prose >= wanted and c.tag not in _LEAVES), None)
        if inner is None:
            return found
        found = inner


_LEAVES = frozenset({"p", "ul", "ol", "li", "dl", "pre", "blockquote", "figure", "tr"})
