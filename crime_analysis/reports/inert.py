"""HTML from a cell's output made whole and inert, by allowing what is known and nothing else.

What is left may be parsed however a browser likes: each of its ``<`` opens an element named
here, with attributes named here, and none of these runs, fetches or reaches outside its place.
"""

from __future__ import annotations

import re
from html import unescape

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString
from bs4.exceptions import ParserRejectedMarkup

__all__ = ["inert"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HTML = _names(
    "a abbr address b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div"
    " dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby"
    " s samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul"
    " var wbr"
)
_SVG = _names(
    "svg g defs symbol use path rect circle ellipse line polyline polygon text tspan textpath title"
    " desc clippath mask pattern marker lineargradient radialgradient stop image"
)
# Of these not even the words belong on a page; of other unknown elements the words stay.
_REMOVED = _names(
    "script template iframe object embed applet noembed noframes noscript xmp plaintext textarea"
    " select audio video canvas foreignobject animate animatemotion animatetransform set"
)
_ATTRIBUTES = _names(
    "class id title lang dir alt width height src href xlink:href download datetime open scope"
    " colspan rowspan span headers start value reversed type cite role style data-label"
    " aria-label aria-labelledby aria-describedby aria-hidden aria-level"
    # drawings
    " viewbox preserveaspectratio x y x1 x2 y1 y2 cx cy r rx ry fx fy dx dy d points transform"
    " fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray"
    " stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit opacity color offset"
    " stop-color stop-opacity clip-path clip-rule clippathunits mask maskunits patternunits"
    " patterntransform gradientunits gradienttransform markerwidth markerheight markerunits"
    " marker-start marker-mid marker-end refx refy orient text-anchor dominant-baseline"
    " font-family font-size font-style font-weight textlength startoffset rotate"
)
# A landmark, a dialog or an alert of an output's making would mislead those who cannot see.
_ROLES = _names(
    "img group region table row cell columnheader rowheader rowgroup list listitem"
    " presentation none note"
)
_PROPERTIES = re.compile(
    r"(color|background(-color)?|opacity|text-(align|anchor|decoration|indent|transform)|display"
    r"|vertical-align|white-space|(max-|min-)?(width|height)|(padding|border|font|fill|stroke|stop"
    r"|list-style|line-height|letter-spacing|dominant-baseline|clip-path|clip-rule)(-[a-z-]+)?)"
)
# A drawing's prologue; the parser would warn that it is no HTML.
_INSTRUCTION = re.compile(r"<\?[^>]*>")
_INNER = re.compile(r"url\(\s*['\"]?#[\w.:-]+['\"]?\s*\)")
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml)[;,]", re.IGNORECASE)
_RULES = re.compile(r"\s*([^{}@<>&\\]+\{[^{}@<>&\\]*\}\s*)*", re.DOTALL)


def inert(html: str) -> BeautifulSoup:
    """Return a fragment as a tree that neither runs nor fetches anything.

    Every element is closed and none is closed that was not opened, so that it cannot end the
    element it is put into. Words in elements that are not allowed stay as words.

    Examples
    --------
    >>> str(inert("<p onclick='x()'>1 < 2<script>x()</script></div><b>!"))
    '<p>1 &lt; 2<b>!</b></p>'
    """
    if "<" not in html:
        return _words(unescape(html))
    try:
        soup = BeautifulSoup(_INSTRUCTION.sub("", html), "html.parser")
    except (ParserRejectedMarkup, AssertionError):
        return _words(html)
    styles: list[Tag] = []
    for node in list(soup.descendants):
        if isinstance(node, NavigableString):
            if isinstance(node, PreformattedString):  # comments, declarations and the like
                node.extract()
        elif not isinstance(node, Tag):
            continue
        elif node.name == "style":
            styles.append(node)
        elif node.name in _REMOVED or (node.name == "title" and not node.find_parent("svg")):
            node.extract()
        elif node.name in _HTML or node.name in _SVG:
            _keep_known_attributes(node)
        else:
            node.unwrap()
    for style in styles:
        _keep_own_rules(soup, style)
    return soup


def _words(text: str) -> BeautifulSoup:
    soup = BeautifulSoup("", "html.parser")
    soup.append(text)
    return soup


def _keep_known_attributes(element: Tag) -> None:
    for name in list(element.attrs):
        value = element.attrs[name]
        text = " ".join(value) if isinstance(value, list) else str(value or "")
        if name not in _ATTRIBUTES or (name == "role" and text not in _ROLES):
            del element.attrs[name]
        elif name == "style":
            kept = _harmless(text)
            if kept:
                element.attrs[name] = kept
            else:
                del element.attrs[name]
        elif (name in ("href", "xlink:href") and not _leads_nowhere_bad(element, text)) or (
            "url(" in text.lower() and element.name in _SVG and not _INNER.fullmatch(text)
        ):
            del element.attrs[name]


def _leads_nowhere_bad(element: Tag, address: str) -> bool:
    """Say whether following (or, in a drawing, fetching) an address is as safe as it looks."""
    bare = re.sub(r"[\x00-\x20\x7f-\x9f]", "", address).lower()
    if element.name == "a":
        if bare.startswith("data:"):
            return bare.startswith("data:text/csv") and element.has_attr("download")
        scheme = re.match(r"([^/?#]*):", bare)
        return scheme is None or scheme[1] in ("http", "https", "mailto")
    if element.name == "image":
        return bool(_PICTURE.match(address))
    return bare.startswith("#")


def _harmless(style: str) -> str:
    """Return the declarations that colour or size an element and do nothing else."""
    kept = []
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        plain = _INNER.sub("", value).lower()
        if _PROPERTIES.fullmatch(name) and "url(" not in plain and "\\" not in value:
            kept.append(f"{name}: {value}")
    return "; ".join(kept)


def _keep_own_rules(soup: BeautifulSoup, style: Tag) -> None:
    """Keep a style sheet only if each of its rules names an element of the same fragment.

    pandas colours a table so; any other sheet would restyle the whole page.
    """
    text = style.get_text()
    ids = {str(tag["id"]) for tag in soup.find_all(id=True)}
    selectors = [s for rule in text.split("}")[:-1] for s in rule.split("{")[0].split(",")]
    named = (re.match(r"\s*#([\w-]+)", selector) for selector in selectors)
    whole = _RULES.fullmatch(text) is not None and "url(" not in text.lower()
    if not whole or not selectors or not all(found and found[1] in ids for found in named):
        style.decompose()
        return
    rules = (rule.split("{") for rule in text.split("}")[:-1])
    style.string = "".join(f"{s.strip()} {{{_harmless(d)}}}\n" for s, d in rules)
    style.attrs = {}
