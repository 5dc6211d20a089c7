# ruff: noqa: E501 (markup is read best as it is)
"""More web pages with planted words: how sites of many kinds set content among what is around it."""

from __future__ import annotations

from collections.abc import Callable

from tests.planted_pages import Planted

NOTICE = "We and our partners use cookies to store and access information on a device"


def _paragraphs(p: Planted, count: int = 4) -> str:
    return "".join(f"<p>{p.content(2)}</p>" for _ in range(count))


def forum_thread(p: Planted) -> str:
    """Posts of many hands, each with its author's card, tools under it, and a signature line."""
    posts = "".join(
        f"<div class='post' id='p{n}'><div class='postprofile'><a href='/u{n}'>{p.short()}</a></div>"
        f"<div class='postbody'><p class='author'>by <strong>{p.short()}</strong> on 3 May 2024</p>"
        f"<div class='content'>{p.content(3)}<blockquote>{p.content(1)}</blockquote>{p.content(1)}</div></div></div>"
        for n in range(5)
    )
    return (
        f"<div id='wrap'><div id='page-header'><div class='headerbar'><a href='/'>{p.nav()}</a></div>"
        f"<div class='navbar'><ul class='linklist'>{p.links(7)}</ul></div></div>"
        f"<div id='page-body'><h2 class='topic-title'>{p.short()}</h2><div class='action-bar'><ul>{p.links(3)}</ul>"
        f"<div class='pagination'>{p.links(4, 'span')}</div></div>{posts}<div class='action-bar bottom'>{p.links(4, 'span')}"
        f"</div></div><div id='page-footer' class='page-footer'><div class='navbar'>{p.links(5, 'span')}</div>"
        f"<p>{p.line()}</p></div></div>"
    )


def questions_and_answers(p: Planted) -> str:
    """A question, its answers and comments, with votes; related questions in a side column."""
    answer = (
        f"<div class='answer'><div class='votecell'><span>12</span></div><div class='answercell'><div class='s-prose'>"
        f"{_paragraphs(p, 2)}<pre><code>run {p.short()}</code></pre><ul><li>{p.content(1)}</li></ul></div></div>"
        f"<div class='comments'><ul><li><span class='comment-copy'>{p.content(1)}</span></li></ul></div></div>"
    )
    return (
        f"<header class='s-topbar'><a href='/'>{p.nav()}</a><ol>{p.links(5)}</ol></header><div class='container'>"
        f"<div id='left-sidebar'><nav><ol>{p.links(6)}</ol></nav></div><div id='content'><div id='mainbar-header'>"
        f"<h1><a href='/q/1'>{p.short()}</a></h1></div><div id='mainbar'><div class='question'><div class='s-prose'>"
        f"{_paragraphs(p, 2)}</div></div><h2>2 {p.short()}</h2>{answer}</div>"
        f"<div id='sidebar'><div class='sidebar-related'><h4>{p.nav()}</h4>{p.links(7, 'div')}</div></div></div></div>"
        f"<footer id='footer'><nav><ul>{p.links(8)}</ul></nav><p>{p.line()}</p></footer>"
    )


def encyclopedia(p: Planted) -> str:
    """An article with a box of facts, a contents list, notes and references, in the skin of a well-known wiki."""
    facts = "".join(f"<tr><th scope='row'>{p.short()}</th><td>{p.short()}</td></tr>" for _ in range(4))
    notes = "".join(f"<li id='cite_note-{n}'>{p.content(1)}</li>" for n in range(3))
    return (
        f"<div class='vector-header-container'><header class='vector-header'><a href='/'>{p.nav()}</a></header></div>"
        f"<div class='mw-page-container'><div class='vector-sitenotice-container'></div><nav id='mw-panel-toc'><ul>{p.links(6)}</ul></nav>"
        f"<main id='content' class='mw-body'><header class='mw-body-header'><h1 id='firstHeading'>{p.short()}</h1>"
        f"<div id='p-lang-btn' class='vector-dropdown'><ul>{p.links(9)}</ul></div></header>"
        f"<div class='vector-page-toolbar'><nav>{p.links(4, 'span')}</nav></div>"
        f"<div id='bodyContent'><div id='mw-content-text'><table class='infobox'><caption>{p.short()}</caption>{facts}</table>"
        f"{_paragraphs(p, 3)}<div class='mw-heading'><h2>{p.short()}</h2><span class='mw-editsection'>[<a href='/e'>edit</a>]</span></div>"
        f"{_paragraphs(p, 2)}<figure><a href='/f'><img src='a.png'></a><figcaption>{p.short()}</figcaption></figure>"
        f"<div class='mw-heading'><h2>References</h2></div><ol class='references'>{notes}</ol>"
        f"<div role='navigation' class='navbox'>{p.links(8, 'span')}</div></div>"
        f"<div id='catlinks' class='catlinks'>{p.links(4, 'span')}</div></div></main></div>"
        f"<footer id='footer' class='mw-footer'><ul>{p.links(5)}</ul><p>{p.line()}</p></footer>"
    )


def team_wiki(p: Planted) -> str:
    """A page of a firm's wiki: a tree of pages beside it, panels in it, comments and likes below."""
    return (
        f"<div id='full-height-container'><div id='header-precursor'></div><header id='header' role='banner'><nav class='aui-header'>"
        f"<ul>{p.links(6)}</ul></nav></header><div class='ia-splitter'><div class='ia-fixed-sidebar'><div class='plugin_pagetree'>"
        f"<ul>{p.links(10)}</ul></div></div><div id='main' class='aui-page-panel'><div id='main-header'>"
        f"<ol id='breadcrumbs'>{p.links(3)}</ol><h1 id='title-text'>{p.short()}</h1></div>"
        f"<div id='content' class='page view'><div class='page-metadata'><ul><li>Created by {p.short()}</li></ul></div>"
        f"<div id='main-content' class='wiki-content'><h2>{p.short()}</h2>{_paragraphs(p, 2)}"
        f"<div class='confluence-information-macro'><div class='confluence-information-macro-body'><p>{p.content(1)}</p></div></div>"
        f"<div class='table-wrap'><table><tbody><tr><th>{p.short()}</th><th>{p.short()}</th></tr><tr><td>{p.short()}</td><td>{p.content(1)}</td></tr>"
        f"</tbody></table></div><div class='columnLayout two-right-sidebar'><div class='cell normal'><div class='innerCell'>{_paragraphs(p, 2)}</div></div>"
        f"<div class='cell aside'><div class='innerCell'><p>{p.content(2)}</p></div></div></div></div></div></div></div>"
        f"<footer id='footer' role='contentinfo'><p>{p.line()}</p></footer></div>"
    )


def repository(p: Planted) -> str:
    """A readme under a list of files, with numbers and links beside it."""
    files = "".join(
        f"<tr><td><a href='/f{n}'>{p.short()}</a></td><td><a href='/c{n}'>{p.short()}</a></td></tr>" for n in range(3)
    )
    return (
        f"<div class='logged-out env-production'><a href='#start-of-content' class='show-on-focus'>Skip to content</a>"
        f"<header class='HeaderMktg'><nav><ul>{p.links(7)}</ul></nav></header><div class='application-main'><main>"
        f"<div id='repository-container-header'><nav class='UnderlineNav'><ul>{p.links(6)}</ul></nav></div>"
        f"<div class='Layout'><div class='Layout-main'><table aria-labelledby='folders'><tbody>{files}</tbody></table>"
        f"<article class='markdown-body'><h1>{p.short()}</h1>{_paragraphs(p, 3)}<h2>{p.short()}</h2><pre>pip {p.short()}</pre>"
        f"{_paragraphs(p, 3)}</article></div></div></main></div>"
        f"<footer class='footer'><ul>{p.links(6)}</ul><span>{p.line()}</span></footer></div>"
    )


def shop_list(p: Planted) -> str:
    """Goods in a grid, with prices; filters beside, pages below."""
    goods = "".join(
        f"<li class='product'><a href='/p{n}'><img src='{n}.jpg' alt=''><h2>{p.short()}</h2></a><span class='price'>{n}9.90 €</span>"
        f"<p>{p.content(1)}</p><button>Add to cart</button></li>"
        for n in range(8)
    )
    return (
        f"<div class='site-header'><ul class='nav-menu'>{p.links(8)}</ul><form role='search'><input></form></div>"
        f"<div class='breadcrumb'>{p.links(3, 'span')}</div><div class='shop'><div class='filters sidebar'><h3>{p.nav()}</h3>"
        f"<ul>{p.links(9)}</ul></div><div class='results'><h1>{p.short()}</h1><ul class='products'>{goods}</ul>"
        f"<div class='pagination'>{p.links(5, 'span')}</div></div></div><div class='newsletter'><p>{p.line()}</p></div>"
        f"<div class='footer'><ul>{p.links(6)}</ul><p>© 2024 {p.line()}</p></div>"
    )


def product(p: Planted) -> str:
    """One product: facts in a table and as a list, reviews, and what others bought."""
    reviews = "".join(f"<div class='review'><h4>{p.short()}</h4><p>{p.content(2)}</p></div>" for _ in range(3))
    return (
        f"<div id='nav-belt'><ul>{p.links(5)}</ul></div><div id='dp'><div id='centerCol'><h1 id='productTitle'>{p.short()}</h1>"
        f"<ul class='feature-bullets'><li>{p.content(1)}</li><li>{p.content(1)}</li></ul></div>"
        f"<div id='productDescription'><p>{p.content(3)}</p></div><table id='specs'><tr><th>{p.short()}</th><td>{p.short()}</td></tr>"
        f"<tr><th>{p.short()}</th><td>{p.short()}</td></tr></table><div id='reviews'><h2>{p.short()}</h2>{reviews}</div>"
        f"<div class='recommendations'><h2>{p.nav()}</h2><ul>{p.links(6)}</ul></div></div><div id='navFooter'>{p.links(8, 'span')}<p>© {p.line()}</p></div>"
    )


def single_page_app(p: Planted) -> str:
    """What a script drew: blocks with hashed names, no tag that says what it is."""
    text = "".join(f"<div class='sc-b3fa{n}'>{p.content(2)}</div>" for n in range(5))
    return (
        f"<noscript>You need to enable JavaScript {p.nav()}</noscript><div id='root'><div class='css-1x2y3z'><div class='css-9ab'>"
        f"{p.links(6, 'div')}</div><div class='css-77c'><div class='css-2dd'>{p.links(8, 'div')}</div>"
        f"<div class='css-5ee'><h1 class='css-t1'>{p.short()}</h1>{text}<h2 class='css-t2'>{p.short()}</h2>{text.replace('sc-b3fa', 'sc-c0')[:0]}"
        f"<div class='css-6ff'>{p.content(3)}</div></div></div><div class='css-foot'><span>© 2025 {p.line()}</span>{p.links(4, 'span')}</div></div></div>"
        f"<div class='css-modal'><div role='dialog' aria-modal='true'><p>{NOTICE} {p.line()}</p><button>Accept all</button></div></div>"
    )


def docs_theme(p: Planted) -> str:
    """Documentation with a tree at the left, headings of the page at the right, and links to the pages beside it."""
    return (
        f"<div class='md-container'><div class='md-sidebar md-sidebar--primary'><nav class='md-nav'><ul>{p.links(9)}</ul></nav></div>"
        f"<div class='md-content'><article class='md-content__inner md-typeset'><h1>{p.short()}<a class='headerlink' href='#a'>¶</a></h1>"
        f"{_paragraphs(p, 2)}<div class='admonition warning'><p class='admonition-title'>Warning</p><p>{p.content(1)}</p></div>"
        f"<h2>{p.short()}</h2><div class='highlight'><pre><code>{p.short()}</code></pre></div><div class='tabbed-set'><div class='tabbed-block'>"
        f"<p>{p.content(2)}</p></div></div><details class='note'><summary>{p.short()}</summary><p>{p.content(1)}</p></details>"
        f"<table><thead><tr><th>{p.short()}</th><th>{p.short()}</th></tr></thead><tbody><tr><td><code>{p.short()}</code></td><td>{p.content(1)}</td></tr></tbody></table>"
        f"</article></div><div class='md-sidebar md-sidebar--secondary'><nav><ul>{p.links(5)}</ul></nav></div></div>"
        f"<footer class='md-footer'><nav>{p.links(2, 'span')}</nav><div>{p.line()}</div></footer>"
    )


def news(p: Planted) -> str:
    """A news story with further stories set between its paragraphs, a byline, tags and the most read."""
    return (
        f"<div class='masthead'><ul>{p.links(9)}</ul></div><div class='ad-slot ad'>{p.line()}</div><div class='story-wrap'>"
        f"<h1 class='headline'>{p.short()}</h1><p class='standfirst'>{p.content(1)}</p><div class='byline'>By {p.short()}</div>"
        f"<div class='story-body'>{_paragraphs(p, 2)}<div class='related-stories'><h4>{p.nav()}</h4><ul>{p.links(3)}</ul></div>"
        f"{_paragraphs(p, 3)}<div class='newsletter-promo'><p>{p.line()}</p></div>{_paragraphs(p, 1)}</div>"
        f"<div class='tags'><ul>{p.links(4)}</ul></div></div><div class='most-popular'><h3>{p.nav()}</h3><ol>{p.links(5)}</ol></div>"
        f"<div class='site-footer'>{p.links(6, 'span')}<p>{p.line()}</p></div>"
    )


def blog_index(p: Planted) -> str:
    """The newest posts of a blog, each with its first lines."""
    posts = "".join(
        f"<div class='post-preview'><a href='/p{n}'><h2 class='post-title'>{p.short()}</h2><h3>{p.content(1)}</h3></a>"
        f"<p class='post-meta'>Posted by {p.short()}</p></div><hr>"
        for n in range(5)
    )
    return (
        f"<nav class='navbar navbar-expand' id='mainNav'><ul class='navbar-nav'>{p.links(4)}</ul></nav><header class='masthead'><div class='site-heading'>"
        f"<h1>{p.short()}</h1></div></header><div class='container'><div class='row'><div class='col-md-10'>{posts}</div></div></div>"
        f"<footer><p class='copyright'>{p.line()}</p></footer>"
    )


def questions_folded(p: Planted) -> str:
    """Answers that open under their questions."""
    folded = "".join(
        f"<div class='accordion-item'><button class='accordion-header' aria-expanded='false'>{p.short()}</button>"
        f"<div class='accordion-body collapse'><p>{p.content(2)}</p></div></div>"
        for _ in range(4)
    )
    return (
        f"<div class='top-menu'>{p.links(6, 'span')}</div><section class='faq'><h1>{p.short()}</h1>{folded}"
        f"<details><summary>{p.short()}</summary><p>{p.content(2)}</p></details></section>"
        f"<div class='contact-bar social'>{p.links(4, 'span')}</div><div class='bottom'>{p.line()}</div>"
    )


def statistics(p: Planted) -> str:
    """A page that is one long table, with a few words above and its source below."""
    rows = "".join(f"<tr><td>{p.short()}</td><td>{n}</td><td>{p.short()}</td></tr>" for n in range(30))
    return (
        f"<div id='hd'><div id='menubar'>{p.links(8, 'span')}</div></div><div id='bd'><h1>{p.short()}</h1><p>{p.content(1)}</p>"
        f"<table class='data'><thead><tr><th>{p.short()}</th><th>{p.short()}</th><th>{p.short()}</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><p class='source'>Source: {p.short()}</p></div><div id='ft'><ul>{p.links(4)}</ul><p>© {p.line()}</p></div>"
    )


def mail_archive(p: Planted) -> str:
    """A message of a mailing list, in plain text between rules and lists of links."""
    return (
        f"<h1>[harbour] {p.short()}</h1><b>Jo Pier</b> <a href='mailto:x'>jo at harbour.example</a><br><i>Fri May 3 2024</i>"
        f"<ul><li>Previous message: <a href='1.html'>Re: [harbour] The {p.nav()} of the pier</a></li><li>Next message: <a href='2.html'>[harbour] When the {p.nav()} leaves</a></li>"
        f"<li><b>Messages sorted by:</b> <a href='d.html'>{p.nav()}</a> <a href='t.html'>{p.nav()}</a></li></ul><hr>"
        f"<pre>{p.content(3)}\n\n&gt; {p.content(1)}\n\n{p.content(2)}</pre><hr>"
        f"<ul><li>Previous message: <a href='1.html'>Re: [harbour] The {p.nav()} of the pier</a></li><li>Next message: <a href='2.html'>[harbour] When the {p.nav()} leaves</a></li></ul>"
    )


def authority(p: Planted) -> str:
    """A guide of a public office: contents at the top, steps, contacts, a box for feedback."""
    return (
        f"<div id='global-cookie-message' class='gem-c-cookie-banner'><p>{NOTICE}. {p.line()}</p><button>Accept additional cookies</button></div>"
        f"<a href='#content' class='govuk-skip-link'>Skip to main content</a><header role='banner'>{p.links(3, 'span')}</header>"
        f"<div class='govuk-width-container'><div class='govuk-breadcrumbs'><ol>{p.links(3)}</ol></div><main id='content' role='main'>"
        f"<h1>{p.short()}</h1><aside class='part-navigation-container' role='complementary'><nav><ol>{p.links(4)}</ol></nav></aside>"
        f"<h2>{p.short()}</h2>{_paragraphs(p, 3)}<ol class='steps'><li>{p.content(1)}</li><li>{p.content(1)}</li></ol>"
        f"<div class='address'><p>{p.short()}<br>{p.short()}</p></div></main></div>"
        f"<div class='gem-c-feedback' role='region'></div><footer role='contentinfo'><ul>{p.links(7)}</ul><p>{p.line()}</p></footer>"
    )


def recipe(p: Planted) -> str:
    """Ingredients and steps in lists of short items, below a story; share buttons between."""
    return (
        f"<div class='wrap'><div class='nav-primary'><ul>{p.links(6)}</ul></div><div class='entry'><h1>{p.short()}</h1>"
        f"<div class='social-share'>{p.links(4, 'span')}</div>{_paragraphs(p, 2)}<div class='recipe-card'><h2>{p.short()}</h2>"
        f"<ul class='ingredients'>{''.join(f'<li>{p.short()}</li>' for _ in range(6))}</ul><ol>{''.join(f'<li>{p.content(1)}</li>' for _ in range(4))}</ol>"
        f"</div></div><div class='sidebar-primary'><p>{p.line()}</p><ul>{p.links(4)}</ul></div></div><div class='footer-widgets'>{p.links(5, 'span')}<p>{p.line()}</p></div>"
    )


SITES: tuple[Callable[[Planted], str], ...] = (
    *(forum_thread, questions_and_answers, encyclopedia, team_wiki, repository, shop_list, product, single_page_app),
    *(docs_theme, news, blog_index, questions_folded, statistics, mail_archive, authority, recipe),
)
"""Written after the rules that they test, of which they changed some."""
