"""An executed notebook as one HTML file that needs nothing but a browser.

The page asks the network for nothing, whatever a cell printed: remote images become links,
outputs keep only elements that are known to be inert, and a content security policy makes the
browser hold to it.
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
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from .fragments import Content, Heading, Note
from .records import RECORD_MIME, collect_records

__all__ = ["Page", "spoken_time", "to_html"]

_TEMPLATES = Path(__file__).parent / "templates"

# Every colour of this style has a contrast of at least 4.5 to 1 on the page's code background.
_CODE_STYLE = "xcode"

# Parts of a name that are initials.
_INITIALS = frozenset({"cpih", "gdp", "hmic"})

_KINDS = (
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/latex",
    "text/plain",
)


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
    folder : str
        Where pictures named in the notebook's own text are.
    data_date : str
        How new the data are, in words. Where it is empty, what the notebook recorded as
        ``data_date``, if it did.
    files : dict
        What lies beside the page: words for it, and the file's name.
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
    data_date: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


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
    shown = _Shown(page, collect_records(nb), _hidden_tags(nb))
    html, _ = _exporter().from_notebook_node(nb, {"page": shown})
    # What a file in UTF-8 cannot hold, and a browser would not show.
    html = html.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    return html, shown.title


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
def _script() -> tuple[Markup, str]:
    """Return the page's script, and the hash by which its policy lets that one run."""
    text = _read("report.js")
    digest = hashlib.sha256(text.encode()).digest()
    return Markup(text), "sha256-" + base64.b64encode(digest).decode()


@cache
def _style() -> Markup:
    """Return the style sheet, with the colours of highlighted code."""
    rules = HtmlFormatter(style=_CODE_STYLE).get_style_defs(".highlight")
    # The page sets the background; the style's own would undo it.
    kept = [r for r in rules.splitlines() if "background" not in r]
    return Markup("\n".join([_read("style.css"), *kept]))


def _read(name: str) -> str:
    return (_TEMPLATES / "report" / name).read_text(encoding="utf-8")


class _Exporter(TemplateExporter):
    """nbconvert's exporter with this package's template; what it shows comes as a resource."""

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
            size=_size,
        )
        return environment


@cache
def _exporter() -> _Exporter:
    """Return the exporter; it holds nothing of a page, and compiling its template takes time."""
    return _Exporter(
        template_name="report",
        file_extension=".html",
        extra_template_basedirs=[str(_TEMPLATES)],
    )


class _Shown:
    """What the template reads; titles and headings are known only once the text is rendered."""

    def __init__(self, page: Page, records: Mapping[str, Any], hidden: frozenset[str]) -> None:
        self._page = page
        self._hidden = hidden
        self._content = Content(page.title)
        self.data_date = page.data_date or str(records.get("data_date") or "")
        self.style = _style()
        self.script, self.script_hash = _script()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_page"], name)

    def __deepcopy__(self, memo: Any) -> _Shown:
        # nbconvert copies its resources; this one has to come back with what was found.
        return self

    @property
    def title(self) -> str:
        """The title given, else found in the notebook, else the notebook's name."""
        name = Path(self._page.notebook).stem.replace("_", " ").capitalize()
        return self._content.title or name

    @property
    def own_label(self) -> str:
        """What tells this report from its siblings, unless the title says it."""
        label = ", ".join(map(_words, self._page.label.split(", ")))
        return "" if label in self.title else label[:1].upper() + label[1:]

    @property
    def full_title(self) -> str:
        return f"{self.title} – {self.own_label}" if self.own_label else self.title

    @property
    def rendered(self) -> str:
        return spoken_time(self._page.finished)

    @property
    def parameters(self) -> list[dict[str, str]]:
        """The parameters, named and set for people."""
        return [
            {**p, "label": p["name"].replace("_", " ").capitalize(), "words": _words(p["text"])}
            for p in self._page.parameters
        ]

    @property
    def files(self) -> list[tuple[str, str]]:
        return [(words, quote(name, errors="replace")) for words, name in self._page.files.items()]

    def hides(self, cell: Mapping[str, Any]) -> bool:
        """Tell whether a cell is for other readers than the report's; it has run all the same."""
        return not self._hidden.isdisjoint(cell.get("metadata", {}).get("tags", []))

    def headings(self) -> list[Heading]:
        return self._content.headings

    def notes(self) -> list[Note]:
        return self._content.notes()

    def with_notes(self, html: str) -> Markup:
        return self._content.with_notes(html)

    def tidy(self, html: Any) -> Markup:
        return self._content.tidy(_joined(html))

    def markdown_output(self, text: Any) -> Markup:
        """Render markdown that code made: HTML in it is shown, and no file is opened for it."""
        renderer = IPythonRenderer(
            escape=True, allow_harmful_protocols=False, exclude_anchor_links=True
        )
        return self._markdown(_joined(text), renderer)

    def markdown_cell(self, cell: Mapping[str, Any]) -> Markup:
        """Render the author's own text, with its HTML and the pictures it names."""
        source = _joined(cell["source"])
        attached = dict(cell.get("attachments", {}))
        # A picture that is not there is no reason to have no report.
        for name in re.findall(r"attachment:([^)\s\"']+)", source):
            attached.setdefault(name, {"image/png": ""})
        renderer = IPythonRenderer(
            escape=False,
            allow_harmful_protocols=False,
            embed_images=True,
            exclude_anchor_links=True,
            path=self._page.folder,
            attachments=attached,
        )
        return self._markdown(source, renderer)

    def _markdown(self, text: str, renderer: IPythonRenderer) -> Markup:
        return self._content.tidy(MarkdownWithMath(renderer=renderer).render(text))


def _hidden_tags(nb: Any) -> frozenset[str]:
    """Return the tags of cells that a notebook keeps out of its page."""
    return frozenset(nb.metadata.get("crime_analysis", {}).get("hide_tags", []))


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else str(text)


def _words(text: str) -> str:
    """Return a name such as ``violence_with_injury`` as words; anything else as it is."""
    if not re.fullmatch("[a-z0-9]+(_[a-z0-9]+)+", text):
        return text
    return " ".join(part.upper() if part in _INITIALS else part for part in text.split("_"))


def _highlighted(source: str) -> Markup:
    return Markup(highlight(source, PythonLexer(), HtmlFormatter()))


def _best_kind(output: Mapping[str, Any]) -> str | None:
    """Return the richest form of an output that a page can show, if it has anything to show."""
    data = output.get("data", {})
    if RECORD_MIME in data:
        return None
    kind = next((k for k in _KINDS if k in data), None)
    # What shows itself as nothing has nothing to show: its plain text is for other readers.
    return kind if kind and _joined(data[kind]).strip() else None


def _data_address(output: Mapping[str, Any], kind: str) -> str:
    content = _joined(output["data"][kind])
    if kind == "image/svg+xml":
        content = base64.b64encode(content.encode(errors="replace")).decode()
    return f"data:{kind};base64,{''.join(content.split())}"


def _alternative(output: Mapping[str, Any], kind: str, cell: Mapping[str, Any]) -> str:
    """Return an image's alt text: of its own metadata, of the output's, of the cell's."""
    metadata = output.get("metadata", {})
    own = metadata.get(kind, {})
    found = own.get("alt") if isinstance(own, Mapping) else None
    return str(found or metadata.get("alt") or cell.get("metadata", {}).get("alt") or "")


def _size(output: Mapping[str, Any], kind: str) -> dict[str, int]:
    """Return the size at which an image was meant to be seen: half its own, if drawn for 2×."""
    told = output.get("metadata", {}).get(kind, {})
    told = told if isinstance(told, Mapping) else {}
    size = {name: told.get(name) for name in ("width", "height")}
    return {n: round(v) for n, v in size.items() if isinstance(v, int | float) and 0 < v < 1e5}
