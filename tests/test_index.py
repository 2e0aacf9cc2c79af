"""The index: one page that lists, sorts, filters and maps, and asks the network for nothing."""

from __future__ import annotations

import copy
import json
import math
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat.v4
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from crime_analysis import places
from crime_analysis.errors import ParameterError
from crime_analysis.reports.glance import chart, chart_range, number
from crime_analysis.reports.index import _place, write_index
from crime_analysis.reports.job import make_job
from crime_analysis.reports.manifest import manifest, sealed
from crime_analysis.reports.tiles import Scale, checked_settings

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "crime_analysis" / "reports" / "templates" / "report"
EVIL = "<script>alert('x')</script>\"&"
NOW = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
# Groups are listed in the order of their first report.
FIRST = {"order": ["force-report--avon-and-somerset"]}
# Of 43 forces one failed, one was not rendered, and one is too small for rates.
FAILED, ABSENT, SMALL = "Wiltshire", "Cumbria", "City of London"

INDEX = {
    "tiles": {
        "parameter": "force",
        "record": "officers_change",
        "grid": {name: list(at) for name, at in places.force_tiles().items()},
        "short": places.SHORT_NAMES,
    },
    "chart": {"record": "series", "label": "officers, 2010 = 100"},
}
SETTINGS = {
    "parameters": {
        "force": {"choices": list(places.FORCES)},
        "outcome": {"choices": ["robbery", "homicide"]},
    },
    "name_by": ["force"],
    "headline": {
        "officers_change": {"label": "officers", "format": "percent"},
        "per_1000": {"label": "officers per 1,000"},
        "link": {"label": "elasticity"},
        "verdict": {"label": "verdict"},
    },
    "index": INDEX,
}


def notebook(folder, name="force-report", declared=SETTINGS):
    """A notebook that declares what the index is to show."""
    source = "force = 'Kent'  # the police force\noutcome = 'robbery'\nnote = 'none'"
    cells = [
        nbformat.v4.new_markdown_cell("# One force"),
        nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]}),
    ]
    nb = nbformat.v4.new_notebook(cells=cells, metadata={"crime_analysis": declared})
    path = folder / f"{name}.ipynb"
    path.write_text(nbformat.writes(nb), encoding="utf-8")
    return path


def report(source, out, given, records, *, title="One force", group=None, after=0):
    """Write a report's three files, the manifest by the real code."""
    job = make_job(source, given, group=group)
    page = f"<!DOCTYPE html><html lang='en'><title>Report</title><p>{job.name}</p></html>"
    texts = {
        f"{job.name}.ipynb": nbformat.writes(nbformat.v4.new_notebook()),
        f"{job.name}.html": page,
    }
    at = NOW + timedelta(minutes=after)
    told = manifest(job, texts, records, at, at, 1.5, {"python": "3.11"}, {"data": "d"}, title)
    out.mkdir(exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    text = json.dumps(told, indent=2, ensure_ascii=False)
    (out / f"{job.name}.manifest.json").write_text(text, encoding="utf-8")
    return job


def failure(source, out, given, error, group=None):
    job = make_job(source, given, group=group)
    nb = nbformat.v4.new_notebook()
    nb.metadata["crime_analysis_report"] = {
        "failed": True,
        "name": job.name,
        "label": job.label,
        "group": group,
        "notebook": source.name,
        "parameters": dict(job.values),
        "error": error,
    }
    (out / f"{job.name}.failed.ipynb").write_text(nbformat.writes(nb), encoding="utf-8")


def recorded(place):
    """Numbers that look like a force's; the small one has none."""
    n = places.FORCES.index(place)
    if place == SMALL:
        return {"officers_change": None, "per_1000": None, "series": None, "verdict": "too small"}
    estimate = round(-0.5 + n / 40, 3)
    row = {"term": "officers", "estimate": estimate, "ci_low": estimate - 0.3}
    row["ci_high"] = estimate + 0.3
    return {
        "officers_change": round(-0.27 + n * 0.0073, 4),
        "per_1000": 1.4 + (n * 7 % 43) / 20,
        "link": {"effect": {"table": [row], "text": "cannot tell"}},
        "series": {str(2010 + k): 100 - k * (n % 5) for k in range(9)},
        "verdict": "cannot tell" if n % 2 else "fell",
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The batch of 43 forces, and two reports of another group with a name that attacks."""
    folder = tmp_path_factory.mktemp("index")
    out = folder / "reports"
    source, other = notebook(folder), notebook(folder, "method", {"headline": {"p": "p-value"}})
    for n, place in enumerate(places.FORCES):
        if place not in (FAILED, ABSENT):
            report(source, out, {"force": place}, recorded(place), group="Forces", after=n)
    for value, note in ((0.04, "plain"), (0.004, EVIL)):
        report(other, out, {"note": note}, {"p": value}, title=f"Method {note}", group="Methods")
    failure(source, out, {"force": FAILED}, f"cell 4: ValueError: {EVIL}", "Forces")
    return write_index(out, f"Reports {EVIL}", FIRST)


@pytest.fixture(scope="module")
def text(made):
    return made.read_text(encoding="utf-8")


# --- places -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tiles", "names"),
    [
        (places.force_tiles(), places.FORCES),
        (places.borough_tiles(), (*places.BOROUGHS, "City of London")),
    ],
)
def test_each_place_has_one_tile_of_its_own(tiles, names):
    assert sorted(tiles) == sorted(names)
    assert len(set(tiles.values())) == len(tiles)
    assert min(row for row, _ in tiles.values()) == min(column for _, column in tiles.values()) == 1
    assert max(column for _, column in tiles.values()) <= 8, "too wide for a phone"


def test_tiles_lie_as_places_do():
    forces, boroughs = places.force_tiles(), places.borough_tiles()
    # North before south, west before east; neighbours side by side.
    for tiles, order, axis in [
        (forces, ["Northumbria", "West Yorkshire", "Leicestershire", "Surrey", "Sussex"], 0),
        (forces, ["Devon and Cornwall", "Dorset", "Hampshire", "Surrey", "Kent"], 1),
        (forces, ["Dyfed-Powys", "West Mercia", "Leicestershire", "Norfolk"], 1),
        (boroughs, ["Enfield", "Hackney", "Lewisham"], 0),
        (boroughs, ["Hillingdon", "Ealing", "Westminster", "Newham"], 1),
    ]:
        at = [tiles[name][axis] for name in order]
        assert at == sorted(set(at)), order
    for one, two in [("Kent", "Sussex"), ("Durham", "Cleveland"), ("Gwent", "South Wales")]:
        assert math.dist(forces[one], forces[two]) == 1


def test_short_names_fit_and_stay_apart():
    assert set(places.SHORT_NAMES) <= {*places.FORCES, *places.BOROUGHS}
    for names in (places.FORCES, places.BOROUGHS):
        short = [places.SHORT_NAMES.get(name, name) for name in names]
        assert len(set(short)) == len(short)
        assert max(map(len, short)) <= 9


def test_notebooks_carry_the_maps_that_places_draws():
    maps = {"force": places.force_tiles(), "borough": places.borough_tiles()}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        told = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("crime_analysis", {})
        settings = checked_settings(told.get("index", {}), path.name)
        if "tiles" in settings:
            tiles = settings["tiles"]
            grid = {name: tuple(at) for name, at in tiles["grid"].items()}
            drawn = maps[tiles["parameter"]]
            # The City is no borough: a notebook of boroughs may leave it out.
            assert grid == {name: at for name, at in drawn.items() if name in grid}, path.name
            assert {*drawn} - {*grid} <= {"City of London"}, path.name
            short = {n: s for n, s in places.SHORT_NAMES.items() if n in grid}
            assert tiles.get("short", short) == short, path.name


# --- numbers, colours and charts --------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "form", "said"),
    [
        (-0.0912, "percent", "−9.1%"), (0, "percent", "+0.0%"), (2018, None, "2018"),
        (-30390, None, "−30,390"), (-30390.23, None, "−30,390"), (1.7, None, "1.70"),
        (100.0, None, "100"), (None, None, "–"), (True, None, "yes"), ("fell", None, "fell"),
        (-0.00012, None, "−0.000120"),
    ],
)  # fmt: skip
def test_numbers_are_written_to_be_compared(value, form, said):
    assert number(value, form) == said


VALUES = st.lists(st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-15), max_size=50)


@hypothesis_settings(deadline=None, derandomize=True, max_examples=150)
@given(VALUES, st.sampled_from([None, "percent"]))
def test_every_number_has_a_colour_that_the_legend_explains(values, form):
    scale = Scale.of(values, form)
    legend = [colour for colour, _ in scale.legend()]
    assert list(scale.edges) == sorted(set(scale.edges))
    assert 2 <= len(legend) <= 7
    assert {scale.colour(v) for v in values} <= set(legend)
    # A larger number never has a lower colour.
    places_in_legend = [legend.index(scale.colour(v)) for v in sorted(values)]
    assert places_in_legend == sorted(places_in_legend)


def test_colours_around_zero_are_alike_on_both_sides_and_round():
    scale = Scale.of([-0.271, -0.2, -0.09, 0.055], "percent")
    assert scale.edges == tuple(-e for e in reversed(scale.edges))
    assert scale.colour(0) == "d3"
    assert [said for _, said in scale.legend()][:2] == ["below −25%", "−25% to −15%"]


def test_one_extreme_place_does_not_make_all_others_alike():
    ordinary = [1000 + 50 * n for n in range(40)]
    scale = Scale.of([*ordinary, 30_000])
    assert not scale.diverging
    assert len({scale.colour(v) for v in ordinary}) >= 5


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_what_a_tile_prints_can_be_read_on_its_colour():
    css = (TEMPLATES / "listing.css").read_text(encoding="utf-8")
    light = re.search(r"([^}]+)\{ color: #fff; \}", css)[1]
    fills = re.findall(r"\.([ds]\d) \{ background: (#[0-9a-f]{6}); \}", css)
    assert len(fills) == 14
    for name, fill in fills:
        ink = "#ffffff" if f".tile.{name}" in light else "#1c2430"
        dark, bright = sorted([luminance(ink), luminance(fill)])
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, name


def test_a_chart_says_its_ends_its_extremes_and_its_gaps():
    drawn = chart({"2010": 100, "2011": None, "2012": 88.5, "2013": 91}, "Officers")
    assert drawn.alt == (
        "Officers: 100 in 2010, 91.0 in 2013; lowest 88.5 in 2012, highest 100 in 2010; 1 missing"
    )
    assert drawn.path.count("M") == 2
    assert chart([1, -1], "x", "percent").alt.startswith("x: +100.0% in number 1, −100.0% in")
    assert chart([1, -1], "x").zero is not None
    assert chart([5, 5], "x").path == "M4 4L128 4"


@pytest.mark.parametrize(
    "odd", [None, [], [1], [None, 2], "text", [1, "2"], {"a": [1, 2]}, [1, True]]
)
def test_what_is_no_series_has_no_chart(odd):
    assert chart(odd, "x") is None


def test_charts_share_one_scale():
    series = [[10, 20], [0, 40], None]
    assert chart_range(series) == (0, 40)
    one, two = (chart(s, "x", None, (0, 40)) for s in series[:2])
    assert one.path == "M4 23.5L128 17"
    assert two.path == "M4 30L128 4"


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tile": {}}, "unknown key 'tile'; nearest: tiles"),
        ({"tiles": []}, "write keys with values"),
        ({"tiles": {"parameter": "force", "record": "x"}}, "lack 'grid'"),
        ({"tiles": INDEX["tiles"] | {"colour": 1}}, "unknown key 'colour'"),
        ({"tiles": INDEX["tiles"] | {"format": "per cent"}}, "number, percent"),
        ({"tiles": INDEX["tiles"] | {"grid": {"Kent": [1, 1], "Essex": [1, 1]}}}, "have one tile"),
        ({"tiles": INDEX["tiles"] | {"grid": {"Kent": [0, 1]}}}, "row and column, from 1"),
        ({"tiles": INDEX["tiles"] | {"grid": {"Kent": "8"}}}, "row and column, from 1"),
        ({"chart": {"label": "x"}}, "lack 'record'"),
        ({"chart": {"record": "x", "scale": "log"}}, "shared or own"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_written(tmp_path, change, said):
    with pytest.raises(ParameterError, match=re.escape(said)):
        checked_settings(change, "reports.yml")
    with pytest.raises(ParameterError, match="the index"):
        write_index(tmp_path / "out", settings=change)
    assert not (tmp_path / "out").exists()


def test_a_notebook_that_declares_nonsense_costs_the_picture_and_not_the_page(tmp_path):
    bad = copy.deepcopy(SETTINGS)
    bad["index"]["tiles"]["grid"]["Kent"] = "south"
    source = notebook(tmp_path, declared=bad)
    for place in ("Kent", "Essex"):
        report(source, tmp_path / "out", {"force": place}, recorded(place))
    page = write_index(tmp_path / "out").read_text(encoding="utf-8")
    assert "−13.1%" in page
    assert 'class="tiles"' not in page


def test_reports_that_nobody_put_in_order_follow_the_numbers_of_their_notebooks():
    told = [("00-zebra.ipynb", "Zebra"), ("01-ant.ipynb", "Ant"), ("bee.ipynb", "A bee")]
    rows = [{"notebook": n, "title": t, "name": n} for n, t in told]
    mixed = [rows[2], rows[1], rows[0]]
    assert sorted(mixed, key=_place) == rows


def test_the_set_orders_reports_and_overrules_the_notebook(tmp_path):
    source, out = notebook(tmp_path), tmp_path / "out"
    jobs = [
        report(source, out, {"force": place}, recorded(place), group=group)
        for place, group in (("Kent", "B"), ("Essex", "A"), ("Surrey", "B"))
    ]
    order = [jobs[2].name, jobs[0].name, jobs[1].name]
    told = {"order": order, "chart": {"record": "series", "label": "own label", "scale": "own"}}
    page = write_index(out, settings=told).read_text(encoding="utf-8")
    assert re.findall(r"<h2[^>]*>([^<]+)", page) == ["B", "A"]
    rows = re.findall(r'class="name"><a href="([^"]+)', page)
    assert rows == [f"{name}.html" for name in order]
    assert "Charts of own label, 2010 to 2018: each on a scale of its own" in page


def test_labels_say_what_their_reports_were_asked(tmp_path):
    """A parameter that differs among them has a column, and the label its name."""
    headline = SETTINGS["headline"] | {
        "officers_change": {"label": "officers, {outcome} to {note}", "format": "percent"},
        "per_1000": {"label": "rate in {place}"},
    }
    source = notebook(tmp_path, declared=SETTINGS | {"headline": headline})
    for folder, notes in (("alike", ("2018", "2018")), ("apart", ("2018", "2020"))):
        for place, note in zip(("Kent", "Essex"), notes, strict=True):
            given = {"force": place, "note": note}
            report(source, tmp_path / folder, given, recorded(place))
        page = write_index(tmp_path / folder).read_text("utf-8")
        asked = "2018" if folder == "alike" else "note"
        assert page.count(f'data-label="officers, robbery to {asked}"') == 2
        assert 'data-label="rate in {place}"' in page  # there is no {place} to name
        assert "Charts of officers, 2010 = 100, 2010 to 2018:" in page


def test_a_series_says_what_most_of_it_is_about_and_opens_with_questions(tmp_path):
    out = tmp_path / "out"
    told = ["Did it rise? By one measure of two. Who knows?", "No question, plainly."]
    for name in ("one", "two", "three"):
        given = {"note": name} if name == "three" else {}
        report(notebook(tmp_path, name), out, given, {"answers": told}, title=name, group="Series")
    lead = {"notebook": "one.ipynb", "record": "answers"}
    page = write_index(out, settings={"lead": lead}).read_text("utf-8")
    assert "With force Kent; outcome robbery." in page
    assert "<p><strong>Did it rise?</strong> By one measure of two. Who knows?</p>" in page
    assert "<p>No question, plainly.</p>" in page


# --- the page ---------------------------------------------------------------------------------


def test_everything_is_listed_and_failures_are_shown_as_such(text):
    assert "43 reports" in text
    assert "1 failed" in text
    assert text.count('<th role="rowheader"') == 44
    assert "force-report--wiltshire.failed.ipynb" in text
    assert "Hatched, no report: Cumbria." in text
    assert "Failed: Wiltshire." in text
    assert "all on one scale, from 68.0 to 100" in text


def test_what_all_reports_of_a_group_share_is_said_once(text):
    assert text.count("One force<") == 1
    assert '<a href="force-report--kent.html">Kent</a>' in text
    assert "With outcome robbery; note none." in text


def test_nothing_reaches_the_page_unescaped(text):
    assert "<script>alert" not in text
    assert text.count("<script>") == 1
    assert "&lt;script&gt;alert" in text
    assert "default-src 'none'" in text


def test_names_of_files_cannot_leave_their_place(tmp_path):
    source, out = notebook(tmp_path), tmp_path / "out"
    report(source, out, {"force": "Kent"}, recorded("Kent"))
    (out / 'a"b <i>#?.failed.ipynb').write_text("{", encoding="utf-8")
    page = write_index(out).read_text(encoding="utf-8")
    assert 'href="a%22b%20%3Ci%3E%23%3F.failed.ipynb"' in page
    assert "<i>#" not in page
    assert "the notebook cannot be read" in page


def test_half_a_report_is_not_listed(tmp_path):
    source, out = notebook(tmp_path), tmp_path / "out"
    for place in ("Kent", "Essex", "Surrey"):
        report(source, out, {"force": place}, recorded(place))
    (out / "force-report--kent.html").unlink()
    (out / "force-report--essex.manifest.json").write_text("{", encoding="utf-8")
    page = write_index(out).read_text(encoding="utf-8")
    assert "1 report<" in page
    assert "<script" not in page, "one report leaves nothing to sort"
    assert sorted(p.name for p in out.glob(".*")) == []


def test_an_empty_folder_says_so(tmp_path):
    assert "No reports here yet." in write_index(tmp_path / "new").read_text(encoding="utf-8")


def test_a_pdf_is_linked_where_there_is_one(made, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(made.parent, out)
    (out / "force-report--kent.pdf").write_bytes(b"%PDF")
    page = write_index(out).read_text(encoding="utf-8")
    assert page.count(">PDF</a>") == 1


def test_a_map_needs_places_and_numbers_and_says_so(tmp_path):
    source, out = notebook(tmp_path), tmp_path / "out"
    report(source, out, {"force": "Kent"}, recorded("Kent"))
    assert "No map: the reports here have fewer than two places." in write_index(out).read_text()
    report(source, out, {"force": "Essex"}, {"series": [1, 2]})
    (out / "force-report--kent.manifest.json").unlink()
    report(source, out, {"force": "Kent"}, {"series": [1, 2]})
    page = write_index(out).read_text(encoding="utf-8")
    assert "No map: the reports here have no number &#39;officers_change&#39;." in page


def test_the_page_is_sealed_and_the_same_each_time(made, text):
    assert sealed(text)
    assert not sealed(text.replace("Kent", "Gwent"))
    again = write_index(made.parent, f"Reports {EVIL}", FIRST).read_text(encoding="utf-8")
    assert again == text


def test_a_hundred_reports_make_a_small_index(tmp_path):
    source, out = notebook(tmp_path), tmp_path / "out"
    for outcome in ("robbery", "homicide"):
        for n, place in enumerate(places.FORCES):
            given = {"force": place, "outcome": outcome}
            report(source, out, given, recorded(place), group="Forces", after=n)
            if n < 7:
                given["note"] = "again"
                report(source, out, given, recorded(place), group="Forces", after=n)
    assert len(list(out.glob("*.manifest.json"))) == 100
    path = write_index(out)
    assert path.stat().st_size < 300_000


# --- in a browser -----------------------------------------------------------------------------


@pytest.fixture
def page(browser, made):
    """The index, opened at a desk; whatever it asks of the network fails the test."""
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    asked, wrong = [], []
    tab.on("request", lambda r: asked.append(r.url))
    tab.on("pageerror", lambda e: wrong.append(str(e)))
    tab.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    tab.goto(made.as_uri())
    yield tab
    assert wrong == []
    assert [url for url in asked if not url.startswith(made.parent.as_uri())] == []
    tab.close()


def names(page):
    return page.locator("#group-1 tbody tr:visible th").all_inner_texts()


def status(page):
    return page.locator("#status").inner_text()


@pytest.mark.browser
def test_it_filters_by_words_and_says_how_many(page):
    assert status(page) == "44 of 44 shown"
    page.get_by_label("Search").fill("yorkshire wEst")
    assert [name[-14:] for name in names(page)] == ["West Yorkshire"]
    assert status(page) == "1 of 44 shown"
    assert not page.locator("#failed").is_visible()
    assert page.locator("#status").get_attribute("aria-live") == "polite"
    page.get_by_label("Search").fill("valueerror")
    assert page.locator("#failed").is_visible()
    assert not page.locator("#group-1").is_visible()
    page.get_by_role("button", name="Show all").click()
    # By text, not by a script that polls: the page's own policy refuses one that has to wait.
    page.locator("#status", has_text="44 of 44 shown").wait_for()


@pytest.mark.browser
def test_it_filters_by_group_and_parameter(page):
    page.get_by_label("Group").select_option(label="Methods")
    assert status(page) == "2 of 44 shown"
    page.get_by_label("Group").select_option(label="Forces")
    assert status(page) == "42 of 44 shown", "the failure belongs to its group"
    page.locator("select[data-name=force]").select_option(label="Kent")
    assert status(page) == "1 of 44 shown"
    # One value for all leaves nothing to choose.
    assert page.get_by_label("Outcome").count() == 0


@pytest.mark.browser
def test_it_sorts_numbers_as_numbers_and_what_is_missing_last(page):
    head = page.locator("#group-1 th", has_text="officers per 1,000").first
    cells = page.locator("#group-1 tbody td[data-label='officers per 1,000']")
    for way, sign in (("ascending", 1), ("descending", -1)):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == way
        said = cells.all_inner_texts()
        numbers = [float(text) for text in said[:-1]]
        assert numbers == sorted(numbers, key=lambda v: sign * v)
        assert said[-1] == "–"
    assert status(page).endswith("sorted by officers per 1,000, highest first")


@pytest.mark.browser
def test_every_column_but_the_files_sorts(page):
    heads = page.locator("#group-1 thead th")
    buttons = heads.get_by_role("button")
    assert buttons.count() == heads.count() - 1
    for n in range(buttons.count()):
        buttons.nth(n).click()
        assert page.locator("#group-1 [aria-sort]").count() == 1
        assert heads.nth(n).get_attribute("aria-sort") == "ascending"
    page.locator("#group-1 th button", has_text="officers, 2010 = 100").click()
    ends = page.locator("#group-1 tbody td:has(svg)")
    last = [float(v) for v in ends.evaluate_all("all => all.map(td => td.dataset.v)")]
    assert last == sorted(last)


@pytest.mark.browser
def test_it_is_used_by_keyboard_alone(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")  # to the link to what failed
    page.keyboard.press("Tab")
    page.keyboard.type("of kent")
    assert status(page) == "0 of 44 shown"
    for _ in "of ":
        page.keyboard.press("Home")
        page.keyboard.press("Delete")
    # The methods' reports have the parameter, too.
    assert status(page) == "3 of 44 shown"
    head = page.locator("#group-1 th button").first
    head.focus()
    page.keyboard.press("Enter")
    assert page.locator("#group-1 th").first.get_attribute("aria-sort") == "ascending"
    tile = page.locator(".tile[data-place='Kent']")
    tile.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/force-report--kent.html")


@pytest.mark.browser
def test_each_tile_is_a_link_that_prints_its_number(page):
    tiles = page.locator("#group-1 .tiles > li")
    assert tiles.count() == 43
    assert page.locator("#group-1 .tiles a").count() == 42
    kent = page.locator(".tile[data-place='Kent']")
    assert kent.get_attribute("href") == "force-report--kent.html"
    assert kent.inner_text().split() == ["Kent", "−13.1%"]
    assert kent.get_attribute("title") == "Kent: officers −13.1%"
    west = page.locator(".tile[data-place='West Yorkshire']")
    assert "West Yorkshire" in west.text_content(), "read out in full"
    failed = page.locator(".tile", has_text="failed")
    assert failed.get_attribute("href") == "force-report--wiltshire.failed.ipynb"
    assert page.locator("span.tile.none").get_attribute("title") == "Cumbria: no report"
    # No two overlap, whatever their names.
    boxes = tiles.evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(r => [r.x, r.y])"
    )
    assert len({tuple(box) for box in boxes}) == 43


@pytest.mark.browser
def test_another_number_can_colour_the_tiles_and_none_is_said_by_colour_alone(page):
    kent = page.locator(".tile[data-place='Kent']")
    before = kent.evaluate("e => getComputedStyle(e).backgroundColor")
    page.get_by_label("Coloured by").select_option(label="elasticity")
    assert page.locator("#group-1 h3").inner_text() == "Map of elasticity"
    assert page.locator(".legend:visible").count() == 1
    assert "interval holds zero" in page.locator(".legend:visible").inner_text()
    # An estimate whose interval holds zero has no direction, and no colour.
    assert kent.get_attribute("class") == "tile z"
    assert "(" in kent.get_attribute("title")
    assert before != kent.evaluate("e => getComputedStyle(e).backgroundColor")
    page.get_by_label("Coloured by").select_option(label="officers per 1,000")
    assert re.fullmatch(r"tile s\d", kent.get_attribute("class"))
    assert page.locator(".tile[data-place='City of London']").get_attribute("class") == "tile none"
    page.get_by_label("Search").fill("surrey")
    assert kent.get_attribute("title") == "Kent: not in the list shown"


@pytest.mark.browser
def test_a_place_with_several_reports_shows_the_first_that_is_listed(browser, tmp_path):
    source, out = notebook(tmp_path), tmp_path / "out"
    for outcome, more in (("robbery", 0), ("homicide", 0.2)):
        for place in ("Kent", "Essex"):
            told = recorded(place)
            told["officers_change"] += more
            report(source, out, {"force": place, "outcome": outcome}, told)
    tab = browser.new_page()
    tab.goto(write_index(out).as_uri())
    kent = tab.locator(".tile[data-place='Kent']")
    shown = set()
    for outcome in ("robbery", "homicide"):
        tab.get_by_label("Outcome").select_option(label=outcome)
        file = kent.get_attribute("href")
        assert ("homicide" in file) == (outcome == "homicide")
        shown.add(kent.locator("b").inner_text())
    assert shown == {"−13.1%", "+6.9%"}
    assert "its tile is of the first that is shown" in tab.locator(".key").inner_text()
    tab.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 400, 768])
def test_nothing_is_cut_off_on_a_phone(browser, made, width):
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.goto(made.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    name = tab.locator("#group-1 tbody th").first
    assert name.bounding_box()["width"] <= width
    if width <= 400:
        # A card says what each number is, and can be sorted, too.
        card = tab.locator("#group-1 tbody tr").first
        label = card.locator("td[data-label='officers']")
        assert "officers" in label.evaluate("e => getComputedStyle(e, '::before').content")
        tab.locator("#group-1 th button", has_text="officers per 1,000").click()
        assert "sorted by officers per 1,000" in tab.locator("#status").inner_text()
    for label in ("officers", "elasticity"):
        tab.get_by_label("Coloured by").select_option(label=label)
        # Half a number would be another number.
        cut = tab.locator(".tile > :not(.visually-hidden)").evaluate_all(
            "all => all.filter(e => e.offsetWidth > e.parentElement.clientWidth)"
            ".map(e => e.textContent)"
        )
        assert cut == []
    tab.close()


@pytest.mark.browser
def test_without_script_it_is_a_plain_list(browser, made):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(made.as_uri())
    assert tab.locator("tbody tr:visible").count() == 44
    assert not tab.locator("#find").is_visible()
    assert not tab.locator(".pick").is_visible()
    assert tab.locator("thead button").count() == 0
    assert tab.locator(".legend:visible").count() == 1
    assert tab.locator(".tile[data-place='Kent'] b").inner_text() == "−13.1%"
    context.close()


@pytest.mark.browser
def test_what_a_report_says_stays_text(page):
    assert page.locator("h1").inner_text() == f"Reports {EVIL}"
    assert f"Method {EVIL}" in page.locator("#group-2 tbody th").all_inner_texts()[0]
    assert EVIL in page.locator("#failed td").first.inner_text()
    page.get_by_label("Search").fill("<script>alert('x')</script>")
    assert status(page) == "2 of 44 shown"


@pytest.mark.browser
def test_paper_has_the_list_and_no_controls(page):
    page.emulate_media(media="print")
    assert not page.locator("#find").is_visible()
    assert page.locator("#group-1 thead button").first.is_visible()
    assert page.locator(".tile[data-place='Kent']").is_visible()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 400])
def test_axe_finds_no_serious_violation(browser, axe, made, width):
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(made.as_uri())
    assert axe(tab) == []
    tab.get_by_label("Coloured by").select_option(label="elasticity")
    tab.locator("#group-1 th button").first.click()
    assert axe(tab) == []
    tab.close()
