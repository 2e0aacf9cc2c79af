"""Charts say what their data say, can be heard as well as seen, and are the same every time."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pandas as pd
import pytest

import crime_analysis as ca
from crime_analysis import figures, funding, prose
from crime_analysis.tables import Table

ROOT = Path(__file__).parents[1]
MET = "Metropolitan Police"


@pytest.fixture(scope="module")
def fitted():
    panel = ca.force_panel()
    links = ca.fit_links(panel, ca.load("breaks"))
    return panel, links


@pytest.fixture(scope="module")
def drawn(fitted):
    panel, links = fitted
    breaks = ca.load("breaks")
    money = funding.real_by_source(ca.load("funding"), ca.load("prices"), MET, "2017/18")
    implied = ca.chain(panel, links, MET, "2009/10", "2017/18", rng=1)
    return {
        "funding": figures.funding(money, breaks, MET, "2009/10", "2017/18", "2017/18"),
        "officers": figures.officers(
            ca.load("officers").query("force == @MET"), MET, "2009/10", "2017/18"
        ),
        "violence": figures.violence(
            ca.load("recorded_crime").query("force == @MET"), breaks, MET, "Counts in number"
        ),
        "scatter": figures.scatter(
            ca.changes(panel, "2009/10", "2017/18"), MET, "2009/10", "2017/18"
        ),
        "links": figures.links(links, prose.links_title(links)),
        "implied": figures.implied(implied, MET, prose.implied_title(implied, MET)),
    }


NAMES = ["funding", "officers", "violence", "scatter", "links", "implied"]


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_a_drawing_with_alt_text_source_and_data(drawn, name):
    figure = drawn[name]
    ElementTree.fromstring(figure.svg)
    assert len(figure.alt) > 80
    assert figure.title
    assert figure.source
    assert len(figure.data)
    page = figure._repr_html_()
    assert page.count("<img ") == 1
    assert "<details>" in page
    assert "<script" not in page


def test_titles_name_the_finding_with_its_size(drawn):
    assert "fell 8.9%" in drawn["officers"].title
    assert "fell 19%" in drawn["funding"].title


def test_a_title_follows_its_data_when_the_data_turn(fitted):
    officers = ca.load("officers").query("force == @MET").copy()
    officers["officers_fte"] = officers["officers_fte"].to_numpy()[::-1]
    assert "rose" in figures.officers(officers, MET, "2009/10", "2017/18").title


def test_breaks_in_recording_are_drawn_and_named(drawn):
    assert "2014/15 HMIC's inspection of recording" in drawn["violence"].source
    assert "Council tax support" in drawn["funding"].source


def test_drawings_do_not_depend_on_hash_seed_locale_or_time_zone():
    program = (
        "import crime_analysis as ca, hashlib\n"
        "from crime_analysis import figures\n"
        "counts = ca.load('officers').query(\"force == 'Kent'\")\n"
        "svg = figures.officers(counts, 'Kent', '2009/10', '2017/18').svg\n"
        "print(hashlib.sha256(svg).hexdigest())"
    )
    import os

    seen = set()
    for seed, zone, locale in (("0", "UTC", "C"), ("7", "Asia/Tokyo", "C.UTF-8")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=ROOT, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        seen.add(done.stdout)
    assert len(seen) == 1


def test_tables_escape_what_they_show_and_mark_headings():
    page = Table(pd.DataFrame({"a": ["<script>x</script>"], "b": [0.5]}), "<b>")._repr_html_()
    assert "<script" not in page
    assert "<caption>&lt;b&gt;</caption>" in page
    assert page.count('<th scope="col"') == 2
    assert page.count('<th scope="row">') == 1


def test_the_readme_shows_the_figure_that_the_data_make(drawn):
    """The README's picture is the links figure; its alt text is checked against the data."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert prose.links_title(ca.fit_links(ca.force_panel(), ca.load("breaks"))) in readme
    stored = (ROOT / "notebooks" / "links.svg").read_bytes()
    ElementTree.fromstring(stored)


def test_a_chance_is_never_printed_as_nought():
    shown = pd.DataFrame({"a": ["x"], "p_value": [0.0], "slope_p": [0.0004], "joint_p": [0.002]})
    page = Table(shown)._repr_html_()
    assert page.count("&lt;0.001</td>") == 2
    assert "0.002</td>" in page
