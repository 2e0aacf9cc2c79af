"""Every page as a reader gets it: each notebook is run once, and all is looked at together.

A notebook's own tests say whether its numbers are right. Here: is each chart told in words, is
any number printed raw, does each association come with its doubt, does the page end with what
it could not find and where its figures are from?
"""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag

import crime_analysis as ca
from crime_analysis.reports import Result
from crime_analysis.reports.records import RECORD_MIME

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
# For a rural force and a Welsh one those that take two seconds; the others run for odd places
# without a kernel, in the tests of what they show.
FORCES = ["Lincolnshire", "Dyfed-Powys"]
AGAIN = ["02-funding", "03-officers", "04-violence"]
PAGES = NAMES + [f"{name}, {force}" for name in AGAIN for force in FORCES]

# A size, a date or a share of a year is a number; so is a year, where a chart is of years.
NUMBER = re.compile(r"(?<![\w.])[−+-]?\d[\d,]*(?:\.\d+)?")
YEAR = re.compile(r"\b(19|20)\d\d(/\d\d|-\d\d(-\d\d)?)?\b")
RAW = {
    "no number": re.compile(r"\b(nan|NaN|NaT)\b|<NA>|\bNone\b(?! [a-z])"),
    "no bound": re.compile(r"(?<![\w])[−+-]?inf\b"),
    # Three significant figures of a small number may have five decimals.
    "an unrounded number": re.compile(r"(?<!arXiv )\b(\d*[1-9]\d*\.\d{5,}|0\.0*[1-9]\d{4,})"),
    "a sign before nought": re.compile(r"(?<![\w.])[−-]0(?![\w.])"),
    "a number in computer's writing": re.compile(r"\b\d(\.\d+)?e[+-]?\d+\b"),
}
# Names for machines: of columns, of logical values, of rows; what one would type is in <code>.
TYPED = {
    "a name with joints": re.compile(r"(?<![\w/.?&=-])[a-z]+(_[a-z0-9]+)+"),
    "a logical value": re.compile(r"^(True|False)$"),
    "an end of an interval": re.compile(r"\b[cp]i (low|high)\b"),
    "a count of clusters": re.compile(r"\bn clusters\b"),
    "a row's key": re.compile(r"\w\[\w+="),
    "a break's id": re.compile(r"^(recording-inspection|met-new-system|stalking-subgroup)"),
}
CAUSED = re.compile(r"\b(caused|led to|due to|drove|thanks to|as a result of|because of)\b")


@dataclass(frozen=True)
class Shown:
    """What a page shows: the notebook's cells but for those that reports leave out."""

    settings: dict
    cells: list[dict]

    def outputs(self) -> list[dict]:
        return [o for cell in self.cells for o in cell.get("outputs", [])]

    def html(self) -> list[BeautifulSoup]:
        texts = ("".join(o.get("data", {}).get("text/html", "")) for o in self.outputs())
        return [BeautifulSoup(text, "html.parser") for text in texts if text]

    def figures(self) -> list[Tag]:
        return [figure for part in self.html() for figure in part.find_all("figure")]

    def records(self) -> set[str]:
        found = (o.get("data", {}).get(RECORD_MIME) for o in self.outputs())
        return {record["name"] for record in found if record}

    def words(self) -> list[str]:
        """Every sentence, title, caption, source, cell of a table, and text in a drawing."""
        found = []
        for part in self.html():
            tags = part.find_all(["p", "figcaption", "caption", "summary", "th", "td", "li"])
            found += [tag.get_text(" ") for tag in tags]
            for image in part.find_all("img"):
                drawing = base64.b64decode(str(image["src"]).partition("base64,")[2])
                texts = BeautifulSoup(drawing, "xml").find_all("text")
                found += [str(image["alt"]), *(text.get_text() for text in texts)]
        return found

    def sentences(self) -> list[str]:
        """Every sentence of prose and of titles."""
        found = []
        for part in self.html():
            for tag in part.find_all(["p", "figcaption", "caption"]):
                found += re.split(r"(?<=[.:;]) ", tag.get_text(" "))
        return found

    def after(self, heading: str) -> str:
        """The text of markdown from the last heading that matches on; empty if none does."""
        text = "\n".join(
            "".join(cell["source"]) for cell in self.cells if cell["cell_type"] == "markdown"
        )
        at = [match.start() for match in re.finditer(rf"^#+ {heading}", text, re.MULTILINE)]
        return text[at[-1] :] if at else ""


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, Result]:
    """Every notebook with its own defaults, and some for other forces, run by the renderer."""
    folder = tmp_path_factory.mktemp("every")
    wanted = [{"notebook": str(NOTEBOOKS / f"{name}.ipynb")} for name in NAMES]
    wanted += [
        {"notebook": str(NOTEBOOKS / f"{name}.ipynb"), "over": {"force": FORCES}} for name in AGAIN
    ]
    (folder / "every.yml").write_text(json.dumps({"reports": wanted}), encoding="utf-8")
    batch = ca.render(folder / "every.yml", out=folder / "out", progress=False, check=False)
    return dict(zip(PAGES, batch.results, strict=True))


@pytest.fixture(params=PAGES)
def shown(request, results) -> Shown:
    result = results[request.param]
    assert result.status == "rendered", f"{result.where}: {result.error}"
    notebook = json.loads(result.notebook.read_text(encoding="utf-8"))
    settings = notebook["metadata"]["crime_analysis"]
    hidden = set(settings.get("hide_tags", []))
    kept = [c for c in notebook["cells"] if not hidden & set(c["metadata"].get("tags", []))]
    return Shown(settings, kept)


def in_the_data(figure: Tag) -> list[str]:
    """The numbers that a chart's words name and its data hold, as the words round them."""
    link = figure.find("a", download=True)
    text = unquote(str(link["href"]).partition(",")[2]).lstrip("\ufeff")
    data = pd.read_csv(io.StringIO(text)).select_dtypes("number").to_numpy(dtype=float)
    held = np.abs(data[np.isfinite(data)])
    # As it is, per cent, thousands, millions, pounds of thousands.
    held = np.concatenate([held, held * 100, held / 1e3, held / 1e6, held * 1e3])
    found = []
    for number in NUMBER.findall(YEAR.sub("", str(figure.img["alt"]))):
        digits = number.lstrip("−+-").replace(",", "")
        half = 0.5 * 10.0 ** -len(digits.partition(".")[2])
        if np.isclose(held, float(digits), rtol=0, atol=half * (1 + 1e-9)).any():
            found.append(number)
    return found


def test_every_chart_has_a_title_a_source_and_words_that_name_its_numbers(shown):
    assert shown.figures()
    for figure in shown.figures():
        title, alt = figure.figcaption.get_text(), str(figure.img["alt"])
        assert len(title) > 20
        assert len(figure.find(class_="source").get_text()) > 10, title
        assert len(alt) > 80, title
        assert len(NUMBER.findall(alt)) >= 2, (title, alt)


def test_the_words_of_most_charts_name_numbers_that_their_data_hold(shown):
    """The others name changes that are worked out from them."""
    with_data = [f for f in shown.figures() if f.find("a", download=True)]
    named = [f for f in with_data if in_the_data(f)]
    assert len(named) * 2 >= len(with_data) > 0


def test_nothing_is_printed_that_is_no_number_or_not_rounded(shown):
    words = shown.words()
    assert len(words) > 50
    wrong = [
        f"{what}: {text[max(0, match.start() - 60) : match.end() + 40]!r}"
        for text in words
        for what, pattern in RAW.items()
        if (match := pattern.search(text))
    ]
    assert not wrong, "\n".join(wrong)


def test_tables_and_the_figures_behind_charts_are_in_words(shown):
    """What is to be typed stands as code; links are addresses."""
    cells = [
        " ".join(text for text in tag.find_all(string=True) if not text.find_parent("code"))
        for part in shown.html()
        for tag in part.find_all(["th", "td", "caption"])
    ]
    assert len(cells) > 50
    wrong = {
        f"{what}: {text[:80]!r}"
        for text in cells
        for what, pattern in TYPED.items()
        if "://" not in text and pattern.search(text)
    }
    assert not wrong, "\n".join(sorted(wrong))


def test_what_a_page_rests_on_is_folded_but_where_it_is_the_subject(shown, request):
    name = request.node.callspec.params["shown"].partition(",")[0]
    told = re.compile("Choices that the cleaning makes|Publications|Register of breaks|Every join")
    unfolded = [
        tag.get_text()
        for part in shown.html()
        for tag in part.find_all("caption")
        if told.match(tag.get_text())
    ]
    assert name in ("01-data", "force-report", "borough-report") or not unfolded


def test_no_cell_warns_or_fails(shown):
    for output in shown.outputs():
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr", output["text"]


def test_a_page_records_what_its_notebook_declares_and_nothing_else(shown):
    declared = shown.settings["yields"]
    assert shown.records() == set(declared["records"])
    assert set(shown.settings["headline"]) <= shown.records()
    assert len(shown.figures()) >= declared["figures"]
    # Tables of a chart's figures aside.
    tables = [t for part in shown.html() for t in part.find_all("table")]
    assert sum(t.find_parent("figure") is None for t in tables) >= 2


def test_an_association_has_its_doubt_before_its_direction(shown):
    for sentence in shown.sentences():
        sized = "associated with" in sentence and re.search(r"\d", YEAR.sub("", sentence))
        if sized:
            before = sentence.partition("associated with")[0]
            assert "95%" in before or "cannot tell" in before, sentence


def test_no_sentence_says_that_one_thing_brought_about_another(shown):
    causal = [s for s in shown.sentences() if CAUSED.search(s) and "cannot tell" not in s]
    assert causal == []


def test_every_page_ends_with_its_limits_and_its_sources(shown):
    limits = shown.after(r"What (was learnt,? and what was not|no method here can say)")
    assert re.search(r"\b(not|cannot|no|nobody)\b", limits)
    assert len(limits) > 200
    headings = [
        tag.get_text() for part in shown.html() for tag in part.find_all(["caption", "summary"])
    ]
    assert [text for text in headings[-2:] if text.startswith("Publications")]
