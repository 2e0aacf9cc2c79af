"""The text of one page as it grows: each output made inert, described, and entered in contents.

Each output is parsed on its own, so that an unclosed tag in one cannot swallow the next.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from bs4 import BeautifulSoup, Tag
from markupsafe import Markup

from .inert import inert
from .names import slug

__all__ = ["Content", "Heading", "Note"]

# What the page's own parts are called; no output may take these.
_OWN_IDS = ("main", "contents", "show-code", "sources", "sort-status", "reproduce")
_REFERRING = ("aria-labelledby", "aria-describedby", "headers")
_LOCAL = re.compile(r"#([\w.:-]+)")
_ABSENT = "An interactive output is not part of this page; the notebook makes it."


@dataclass(frozen=True)
class Heading:
    """An entry of the table of contents."""

    level: str
    id: str
    text: str


@dataclass
class Note:
    """A source line that stands under several figures, told once."""

    id: str
    html: Markup
    places: list[tuple[str, str]] = field(default_factory=list)  # id of the line, its figure


class Content:
    """What has been shown so far, and what the next fragment has to know of it.

    Parameters
    ----------
    title : str, optional
        The page's title; without one the first level-one heading becomes it.
    """

    def __init__(self, title: str | None = None) -> None:
        self.title = title
        self.headings: list[Heading] = []
        self._ids = set(_OWN_IDS)
        self._labels: Counter[str] = Counter()
        self._level = 1
        self._sources: list[tuple[str, str, str, str]] = []  # id, line, words, figure

    def tidy(self, html: str) -> Markup:
        """Return a fragment whole, inert, accessible and part of the table of contents."""
        soup = inert(html)
        if "<script" in html and not (soup.get_text().strip() or soup.find(["img", "svg"])):
            return Markup("<p class='absent'>{}</p>").format(_ABSENT)
        self._make_ids_unique(soup)
        found: dict[str, list[Tag]] = {}
        for element in soup.find_all(True):
            found.setdefault(element.name, []).append(element)
        for image in found.get("img", []):
            _settle_image(soup, image)
        for svg in found.get("svg", []):
            _describe(svg)
        for heading in soup.find_all(re.compile("^h[1-6]$")) if _has_heading(found) else []:
            self._enter(heading)
        for table in found.get("table", []):
            self._frame_table(soup, table)
        for figure in found.get("figure", []):
            self._frame_picture(soup, figure)
        return Markup(str(soup))

    def notes(self) -> list[Note]:
        """Return the source lines that stand under more than one figure, in order."""
        seen = Counter(words for _, _, words, _ in self._sources)
        notes: dict[str, Note] = {}
        for place, line, words, figure in self._sources:
            if seen[words] > 1:
                new = Note(f"note-{len(notes) + 1}", Markup(line))
                notes.setdefault(words, new).places.append((place, figure))
        return list(notes.values())

    def with_notes(self, html: str) -> Markup:
        """Return the main text with repeated source lines replaced by references to notes."""
        html = str(html)  # as Markup it would escape what is put in
        lines = {place: line for place, line, _, _ in self._sources}
        for number, note in enumerate(self.notes(), start=1):
            for place, _ in note.places:
                told = f'<a href="#{note.id}">note {number}</a> at the end of this page.'
                opening = f'<p class="source" id="{place}">'
                html = html.replace(f"{opening}{lines[place]}</p>", f"{opening}Source: {told}</p>")
        return Markup(html)

    def _free(self, base: str) -> str:
        name, n = base, 2
        while name in self._ids:
            name, n = f"{base}-{n}", n + 1
        self._ids.add(name)
        return name

    def _make_ids_unique(self, soup: BeautifulSoup) -> None:
        """Rename what is called as something before it, and what refers to it."""
        new = {}
        for element in soup.find_all(id=True):
            old = str(element["id"])
            # Names of this form are given to lines and notes below.
            taken = bool(re.fullmatch(r"(source|note)-\d+", old))
            new[old] = element["id"] = self._free(f"its-{old}" if taken else old)
        changed = {old: name for old, name in new.items() if old != name}
        if not changed:
            return

        def renamed(match: re.Match[str]) -> str:
            return f"#{changed.get(match[1], match[1])}"

        for element in soup.find_all(True):
            for name, value in element.attrs.items():
                if name in _REFERRING:
                    words = value if isinstance(value, list) else str(value).split()
                    element[name] = " ".join(changed.get(w, w) for w in words)
                elif name in ("href", "xlink:href", "style") or "url(" in value:
                    element[name] = _LOCAL.sub(renamed, str(value))
            if element.name == "style":
                element.string = _LOCAL.sub(renamed, element.string or "")

    def _enter(self, heading: Tag) -> None:
        """Take the first level-one heading as title; give the others an anchor and an entry."""
        text = " ".join(heading.get_text().split())
        level = int(heading.name[1])
        if not text and heading.find("img") is None:
            heading.decompose()
            return
        if level == 1 and text and self.title in (None, text):
            self.title = text
            heading.decompose()
            return
        # The page has one title; whatever else was written as one is a section. And who goes by
        # headings should not have to wonder what was between the second level and the fourth.
        level = min(max(level, 2), self._level + 1)
        heading.name = f"h{level}"
        self._level = level
        if heading.find_parent(["table", "figure", "details"]) is not None:
            return
        if not heading.has_attr("id"):
            heading["id"] = self._free(slug(text) or "section")
        if level <= 3:
            self.headings.append(Heading(heading.name, str(heading["id"]), text))

    def _label(self, text: str) -> str:
        """Return a name that no other region of the page has."""
        self._labels[text] += 1
        return text if self._labels[text] == 1 else f"{text} ({self._labels[text]})"

    def _frame_table(self, soup: BeautifulSoup, table: Tag) -> None:
        """Let a table wider than the screen scroll by itself, by keyboard too."""
        for cell in table.find_all("th"):
            if not cell.get_text().strip() and cell.find("img") is None:
                cell.name = "td"  # a corner heads nothing
                del cell["scope"]
            elif not cell.has_attr("scope"):
                cell["scope"] = _scope(cell)
        if table.find_parent("table") or table.find_parent(attrs={"role": "region"}):
            return
        caption = table.find("caption")
        figure = table.find_parent("figure")
        if caption is not None and caption.get_text().strip():
            label = self._label(" ".join(caption.get_text().split()))
        elif figure is not None and figure.find("figcaption"):
            label = self._label(f"Figures behind: {_caption(figure)}")
        else:
            self._labels["Table"] += 1
            label = f"Table {self._labels['Table']}"
        table.wrap(_region(soup, "scroll", label))

    def _frame_picture(self, soup: BeautifulSoup, figure: Tag) -> None:
        """Let a chart scroll sideways where it would be too small, and enter its source line."""
        if "chart" not in (figure.get("class") or []):
            return
        picture = figure.find("img", recursive=False)
        if picture is not None:
            label = self._label(f"Chart: {_caption(figure) or 'without a title'}")
            picture.wrap(_region(soup, "picture", label))
        for line in figure.find_all("p", class_="source", recursive=False):
            name = self._free(f"source-{len(self._sources) + 1}")
            # The order of attributes too is what `with_notes` looks for.
            line.attrs.clear()
            line["class"], line["id"] = "source", name
            words = " ".join(line.get_text().split())
            self._sources.append((name, line.decode_contents(), words, _caption(figure)))


def _has_heading(found: dict[str, list[Tag]]) -> bool:
    return any(f"h{n}" in found for n in range(1, 7))


def _region(soup: BeautifulSoup, kind: str, label: str) -> Tag:
    return soup.new_tag(
        "div", attrs={"class": kind, "tabindex": "0", "role": "region", "aria-label": label}
    )


def _caption(figure: Tag) -> str:
    caption = figure.find("figcaption")
    return " ".join(caption.get_text().split()) if caption else ""


def _scope(cell: Tag) -> str:
    """Return what a heading heads: a row only where the row has other cells than headings."""
    row = cell.find_parent("tr")
    if cell.find_parent("thead") or row is None or row.find("td") is None:
        return "colgroup" if str(cell.get("colspan", "1")) != "1" else "col"
    return "row"


def _settle_image(soup: BeautifulSoup, image: Tag) -> None:
    """Give an image an alt; put a link where one that is not in the file would be fetched."""
    if not image.has_attr("alt"):
        image["alt"] = ""
    address = str(image.get("src", ""))
    if re.match(r"data:image/(png|jpeg|gif|webp|svg\+xml)[;,]", address, re.IGNORECASE):
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
    svg["role"] = "img"
    svg["aria-label"] = (figure and _caption(figure)) or "Figure"
