"""An executed notebook as one HTML file that needs nothing but a browser.

The page asks the network for nothing, whatever a cell printed: remote images become links,
scripts in outputs are dropped, and a content security policy makes the browser hold to it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from jinja2 import Environment
from markupsafe import Markup
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

from .names import slug
from .records import RECORD_MIME

__all__ = ["TEMPLATES", "Page", "spoken_time", "style", "to_html"]

TEMPLATES = Path(__file__).parent / "templates"

# Every colour of this style has a contrast of at least 4.5 to 1 on the page's code background.
_CODE_STYLE = "xcode"

_KINDS = (
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/latex",
    "text/plain",
)

_SCRIPT = (
    "(function(){var b=document.getElementById('show-code');if(!b)return;b.hidden=false;"
    "var open=false;b.addEventListener('click',function(){open=!open;"
    "document.querySelectorAll('details.code').forEach(function(d){d.open=open});"
    "b.textContent=open?'Hide all code':'Show all code'})})();"
)

# Elements that fetch or run; of these a report has no use.
_ACTIVE = ["script", "iframe", "object", "embed", "link", "base", "meta", "form"]
_REMOTE_STYLE = re.compile(r"@import|url\(\s*['\"]?(?!\s*(#|data:))", re.IGNORECASE)
_FETCHING = ["source", "video", "audio", "track", "image", "feimage"]


@dataclass
class Page:
    """What a report's page says beside the notebook's own words.

    Attributes
    ----------
    title : str or None
        None takes the notebook's first level-one heading, from its text or its outputs.
    label : str
        What tells this report from its siblings; added to the browser's title.
    notebook, command, sha256 : str
        The source, how to render it again, and the hash of its bytes.
    finished : datetime
        When it was rendered.
    parameters : list of dict
        ``name``, ``text`` and ``help`` of each, in order.
    versions : dict
        What ran it.
    """

    title: str | None
    label: str
    notebook: str
    command: str
    sha256: str
    finished: datetime
    parameters: list[dict[str, str]] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."


def to_html(nb: Any, page: Page) -> tuple[str, str]:
    """Render an executed notebook.

    Parameters
    ----------
    nb : NotebookNode
        With its outputs.
    page : Page
        What the header and the footer say.

    Returns
    -------
    html, title : tuple of str
        The whole file, and the title it was given or found.
    """
    exporter = ReportExporter(page)
    html, _ = exporter.from_notebook_node(nb)
    return html, exporter.title


def style() -> str:
    """Return the style sheet of every page, with the colours of highlighted code."""
    return _style()


def spoken_time(moment: datetime) -> str:
    """Return a time as people write it.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> spoken_time(datetime(2018, 3, 1, 9, 5, tzinfo=timezone.utc))
    '1 March 2018, 09:05 UTC'
    """
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


@cache
def _style() -> str:
    own = (TEMPLATES / "report" / "style.css").read_text(encoding="utf-8")
    rules = HtmlFormatter(style=_CODE_STYLE).get_style_defs(".highlight")
    # The page sets the background; the style's own would undo it.
    return own + "\n".join(r for r in rules.splitlines() if "background" not in r)


class ReportExporter(TemplateExporter):
    """nbconvert's exporter with this package's template and a tidying of every fragment.

    Each output is parsed on its own, so that an unclosed tag in one cannot swallow the next.
    """

    def __init__(self, page: Page) -> None:
        super().__init__(
            template_name="report",
            file_extension=".html",
            extra_template_basedirs=[str(TEMPLATES)],
        )
        self._page = page
        self._title = page.title
        self._headings: list[dict[str, str]] = []
        self._ids: set[str] = {"main", "show-code"}
        self._tables = 0

    @property
    def title(self) -> str:
        """The title given, else found in the notebook, else the notebook's name."""
        return self._title or Path(self._page.notebook).stem.replace("_", " ").capitalize()

    def _create_environment(self) -> Environment:
        # nbconvert's environment trusts every value; here a value is text unless a filter made
        # HTML of it.
        environment = super()._create_environment()
        environment.autoescape = True
        environment.filters.update(
            terminal=lambda text: Markup(ansi2html(_joined(text))),
            highlight_code=_highlighted,
            best_kind=_best_kind,
            data_address=_data_address,
            alternative=_alternative,
            tidy=lambda html: self._tidy(_joined(html)),
            markdown_output=lambda text: self._markdown(_joined(text), escape=True),
            markdown_cell=lambda cell: self._markdown(
                _joined(cell.source), escape=False, attachments=cell.get("attachments", {})
            ),
        )
        environment.globals["page"] = _TemplatePage(self)
        return environment

    def _markdown(
        self, text: str, *, escape: bool, attachments: Mapping[str, Any] | None = None
    ) -> Markup:
        """Render markdown; HTML within it passes from the author's cells, not from outputs."""
        renderer = IPythonRenderer(
            escape=escape,
            allow_harmful_protocols=False,
            embed_images=True,
            exclude_anchor_links=True,
            path=self._page.folder,
            attachments=dict(attachments or {}),
        )
        return self._tidy(MarkdownWithMath(renderer=renderer).render(text))

    def _tidy(self, html: str) -> Markup:
        """Make a fragment whole, inert, accessible and part of the table of contents."""
        soup = BeautifulSoup(html, "html.parser")
        _disarm(soup)
        for image in soup.find_all("img"):
            _settle_image(soup, image)
        for svg in soup.find_all("svg"):
            _describe(svg)
        for heading in soup.find_all(re.compile("^h[1-3]$")):
            self._enter(heading)
        for table in soup.find_all("table"):
            self._make_scrollable(soup, table)
        return Markup(str(soup))

    def _enter(self, heading: Tag) -> None:
        """Take the first level-one heading as title; give the others an anchor and an entry."""
        text = " ".join(heading.get_text().split())
        if heading.name == "h1" and self._title is None and text:
            self._title = text
            heading.decompose()
            return
        if heading.name == "h1":
            # The page has one title; whatever else was written as one is a section.
            if text == self._title:
                heading.decompose()
                return
            heading.name = "h2"
        if heading.find_parent(["table", "figure", "details"]) is not None:
            return
        base = str(heading.get("id") or slug(text) or "section")
        anchor, n = base, 2
        while anchor in self._ids:
            anchor, n = f"{base}-{n}", n + 1
        self._ids.add(anchor)
        heading["id"] = anchor
        self._headings.append({"level": heading.name, "id": anchor, "text": text})

    def _make_scrollable(self, soup: BeautifulSoup, table: Tag) -> None:
        """Let a table wider than the screen scroll by itself, by keyboard too."""
        self._tables += 1
        del table["border"]
        for cell in table.select("thead th, tbody th"):
            if not cell.has_attr("scope"):
                cell["scope"] = "col" if cell.find_parent("thead") else "row"
        if table.find_parent(attrs={"role": "region"}) or table.find_parent("table"):
            return
        caption = table.find("caption")
        label = " ".join(caption.get_text().split()) if caption else f"Table {self._tables}"
        table.wrap(
            soup.new_tag(
                "div",
                attrs={"class": "scroll", "tabindex": "0", "role": "region", "aria-label": label},
            )
        )


class _TemplatePage:
    """What the template reads; titles and headings are known only once the text is rendered."""

    script = Markup(_SCRIPT)
    script_hash = "sha256-" + base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()

    def __init__(self, exporter: ReportExporter) -> None:
        self._exporter = exporter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exporter._page, name)

    @property
    def style(self) -> Markup:
        return Markup(_style())

    @property
    def title(self) -> str:
        return self._exporter.title

    @property
    def full_title(self) -> str:
        label = self._exporter._page.label
        return self.title if not label or label in self.title else f"{self.title} – {label}"

    @property
    def rendered(self) -> str:
        return spoken_time(self._exporter._page.finished)

    @property
    def parameters(self) -> list[dict[str, str]]:
        return [
            {**p, "label": p["name"].replace("_", " ").capitalize()}
            for p in self._exporter._page.parameters
        ]

    def headings(self) -> list[dict[str, str]]:
        return self._exporter._headings


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else str(text)


def _highlighted(source: str) -> Markup:
    return Markup(highlight(source, get_lexer_by_name("python"), HtmlFormatter()))


def _best_kind(output: Mapping[str, Any]) -> str | None:
    """Return the richest form of an output that a page can show, if it has anything to show."""
    data = output.get("data", {})
    if RECORD_MIME in data:
        return None
    return next((k for k in _KINDS if k in data and _joined(data[k]).strip()), None)


def _data_address(output: Mapping[str, Any], kind: str) -> str:
    content = _joined(output["data"][kind])
    if kind == "image/svg+xml":
        content = base64.b64encode(content.encode()).decode()
    return f"data:{kind};base64,{''.join(content.split())}"


def _alternative(output: Mapping[str, Any], kind: str, cell: Mapping[str, Any]) -> str:
    """Return an image's alt text: of its own metadata, of the output's, of the cell's."""
    metadata = output.get("metadata", {})
    own = metadata.get(kind, {})
    found = own.get("alt") if isinstance(own, Mapping) else None
    return str(found or metadata.get("alt") or cell.get("metadata", {}).get("alt") or "")


def _disarm(soup: BeautifulSoup) -> None:
    """Remove what would run or fetch."""
    for element in soup.find_all(_ACTIVE):
        element.decompose()
    for element in soup.find_all("style"):
        # pandas sends a style with every table; the page has its own.
        if element.has_attr("scoped") or _REMOTE_STYLE.search(element.get_text()):
            element.decompose()
    for element in soup.find_all(_FETCHING):
        address = element.get("src") or element.get("href") or element.get("xlink:href") or ""
        if not str(address).startswith(("data:", "#")):
            element.decompose()
    for element in soup.find_all(True):
        for name in [n for n in element.attrs if n.lower().startswith("on") or n == "srcset"]:
            del element[name]
        if _REMOTE_STYLE.search(str(element.get("style", ""))):
            del element["style"]
        for name in ("href", "xlink:href"):
            address = re.sub(r"[\s\x00]", "", str(element.get(name, ""))).lower()
            if address.startswith(("javascript:", "vbscript:")) or (
                element.name != "a" and address and not address.startswith(("#", "data:"))
            ):
                del element[name]


def _settle_image(soup: BeautifulSoup, image: Tag) -> None:
    """Give an image an alt; put a link where one that is not in the file would be fetched."""
    if not image.has_attr("alt"):
        image["alt"] = ""
    address = str(image.get("src", ""))
    if address.startswith("data:image/"):
        return
    words = str(image["alt"]) or "image, not part of this file"
    if address.startswith(("http://", "https://")):
        link = soup.new_tag("a", href=address)
        link.string = words
        image.replace_with(link)
    else:
        image.replace_with(f"[{words}]")


def _describe(svg: Tag) -> None:
    """Give a drawing without any description its figure's caption, so that it is not silent."""
    named = any(svg.has_attr(a) for a in ("aria-label", "aria-labelledby", "aria-hidden"))
    if svg.find_parent("svg") or named or svg.find("title"):
        return
    figure = svg.find_parent("figure")
    caption = figure.find("figcaption") if figure else None
    svg["role"] = "img"
    svg["aria-label"] = " ".join(caption.get_text().split()) if caption else "Figure"
