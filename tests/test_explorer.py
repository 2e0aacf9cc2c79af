"""The explorer: every choice shows the place, and an estimate with its checks or the reason."""

import functools
import itertools
import re
import sys

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

import crime_analysis as ca
from crime_analysis import explorer
from crime_analysis.errors import ParameterError, UnknownNameError
from crime_analysis.findings import borough_panel, chosen

MET = "Metropolitan Police"


@pytest.fixture(scope="module")
def links():
    return ca.fit_links(ca.force_panel("2007/08", "2018/19"), ca.load("breaks"))


@functools.lru_cache
def look(**choice):
    return explorer.look(chosen.Choice(**choice))


def test_the_explorer_gives_the_estimates_of_the_links(links):
    money = look(measure="officers", specification="instrument").interval
    row = links["officers"].table.loc["instrument: share of all grants"]
    assert money == pytest.approx(tuple(row[["estimate", "ci_low", "ci_high"]]))
    injury = look(measure="violence_with_injury").interval
    row = links["violence_with_injury"].table.loc["forces and years (fixed effects)"]
    assert injury == pytest.approx(tuple(row[["estimate", "ci_low", "ci_high"]]))


def test_an_interval_that_holds_zero_is_said_before_anything_else():
    view = look(measure="violence_with_injury")
    low, high = view.interval[1:]
    assert low < 0 < high
    assert str(view.sentence).startswith("These data cannot tell")


def test_the_price_base_scales_the_chart_and_leaves_the_estimate():
    choices = [
        chosen.Choice(measure="officers", price_base=base, specification="across")
        for base in ("2017/18", "2009/10")
    ]
    one, other = (explorer.look(choice).chart.data["funding_real_gbp_m"] for choice in choices)
    assert (one / other).dropna().std() < 1e-9
    assert (one / other).mean() > 1.05
    register = ca.load("breaks")
    first, second = (chosen.interval(chosen.fitted(choice, register)) for choice in choices)
    assert first == pytest.approx(second)


@pytest.mark.parametrize(
    "choice",
    [
        {"measure": "homicide", "specification": "changes"},
        {"measure": "robbery", "start": "2009/10", "end": "2010/11"},
        {"measure": "officers", "start": "2005/06", "end": "2008/09"},  # no estimates of funding
    ],
)
def test_a_choice_without_an_estimate_says_why_and_shows_the_place(choice):
    view = look(place="City of London", **choice)
    assert str(view.sentence).startswith("No estimate: ")
    assert view.estimate is None
    assert np.isnan(view.interval).all()
    assert not re.search(r"\bnan\b", view.chart.title + view.chart.alt + str(view.sentence))


def test_a_period_that_begins_with_the_cuts_has_nothing_before_them_to_check():
    view = look(measure="robbery", start="2010/11", end="2014/15")
    assert "pre-trends" not in set(view.checks.frame["check"])


def test_what_is_not_known_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Kent"):
        explorer.explore("Kemt")
    with pytest.raises(UnknownNameError, match="robbery"):
        chosen.Choice(measure="robery")
    with pytest.raises(ParameterError, match="does not run forwards"):
        chosen.Choice(start="2017/18", end="2010/11")


def test_where_nobody_is_there_the_explorer_is_a_plain_page(monkeypatch):
    found = explorer.Explorer(look())
    assert set(found._repr_mimebundle_()) == {"text/html", "text/plain"}
    monkeypatch.setattr(explorer, "attended", lambda: True)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # as if it were not installed
    assert set(found._repr_mimebundle_()) == {"text/html", "text/plain"}


@pytest.fixture
def controls(monkeypatch):
    """The controls by name, with what they say and show."""
    widgets = pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    monkeypatch.setattr(explorer, "attended", lambda: True)
    grid, state, shown = explorer._controls(look()).children
    boxes = {box.description: box for box in grid.children}
    assert all(isinstance(box, widgets.Dropdown) for box in boxes.values())
    return boxes, state, shown


def test_where_somebody_is_there_controls_change_what_is_shown(controls):
    boxes, state, shown = controls
    bundle = explorer.Explorer(look())._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    boxes["specification"].value = "across"
    assert "forces&#x27; means compared" in shown.value
    before = shown.value
    boxes["end"].value = "2005/06"
    assert "does not run forwards" in state.value
    assert shown.value == before
    boxes["place"].value = "Camden"
    assert "no money of its own" in state.value
    boxes["place"].value = "Gwent"
    assert not boxes["price base"].disabled
    assert "does not run forwards" in state.value


@pytest.mark.parametrize("place", [MET, "City of London", "Camden", "Kingston upon Thames"])
def test_every_choice_shows_a_chart_told_in_words_and_an_estimate_or_the_reason(controls, place):
    boxes, state, shown = controls
    boxes["place"].value = place
    assert boxes["price base"].disabled == (place in ca.places.BOROUGHS)
    for measure, base, specification in itertools.product(
        chosen.MEASURES, ("2017/18", "2009/10"), chosen.SPECIFICATIONS
    ):
        boxes["measure"].value = measure
        boxes["price base"].value = base
        boxes["specification"].value = specification
        assert not re.search("Not shown|Working", state.value)
        page = BeautifulSoup(shown.value, "html.parser")
        assert place in page.find("figcaption").text
        assert len(page.find("img")["alt"]) > 80
        told = " ".join(p.text for p in page.find_all("p"))
        estimated = "the elasticity is" in told
        assert estimated != ("No estimate: " in told)
        assert estimated == (len(page.find_all("caption")) > 0)
        assert not re.search(r"\bnan\b|\binf\b", shown.value.replace("data:", ""))


def test_a_borough_is_asked_nothing_of_money_and_says_why():
    money = str(look(place="Camden", measure="officers").sentence)
    assert money.startswith("No estimate: a borough has no police funding of its own")
    moved = str(look(place="Camden", measure="robbery", specification="instrument").sentence)
    assert moved.startswith("No estimate: the share of all grants is a force's")
    assert look(place="Camden").chart.data.columns.tolist() == [
        "financial_year", "officers_end_fte", "violence_with_injury_per_1000",
    ]  # fmt: skip
    assert "November 2015" in str(look(place="Camden").limits)
    late = look(place="Camden", start="2014/15", end="2018/19")
    assert "from 2008-04 to 2015-11" in str(late.sentence)


def test_a_force_with_too_few_residents_is_told_that_no_estimate_holds_it():
    assert "City of London" in str(look(place="City of London").limits)
    assert look(place="Kent").limits is None


def test_a_period_that_boroughs_do_not_have_is_refused_with_the_next_step():
    with pytest.raises(ParameterError, match="from 2010/11"):
        chosen.Choice(place="Camden", start="2005/06", end="2010/11")


@pytest.mark.parametrize("measure", ["robbery", "violence_with_injury"])
def test_the_estimate_across_boroughs_is_that_of_plain_least_squares_on_dummies(measure):
    rows = borough_panel.borough_panel().dropna(subset=["officers_start_fte"])
    assert (rows["fy_start"].min(), rows["fy_start"].max()) == (2010, 2015)
    dummies = pd.get_dummies(rows[["borough_era", "fy_start"]].astype(str), dtype=float)
    dummies.insert(0, "officers", np.log(rows["officers_start_fte"] / rows["population"]))
    root = np.sqrt(rows["population"].to_numpy())
    outcome = np.log(rows[measure] / rows["population"]).to_numpy()
    slopes, *_ = np.linalg.lstsq(dummies.to_numpy() * root[:, None], outcome * root, rcond=None)
    assert look(place="Barnet", measure=measure).interval[0] == pytest.approx(slopes[0])


@pytest.mark.parametrize("specification", ["fixed_effects", "changes"])
def test_no_estimate_reads_the_restructure_of_march_2012(monkeypatch, specification):
    choice = chosen.Choice(place="Brent", measure="robbery", specification=specification)
    before = chosen.interval(chosen.fitted(choice, ca.load("breaks")))

    def load(name):
        table = ca.load(name)
        if name == "borough_officers_monthly":
            jumped = (table["month"] >= "2012-03") & table["place"].isin(["Brent", "Camden"])
            table.loc[jumped, "officers_fte"] *= 1.5
        return table

    panel = borough_panel.borough_panel("2010/11", "2018/19", load)
    monkeypatch.setattr(chosen, "boroughs", lambda start, end: panel)
    assert chosen.interval(chosen.fitted(choice, ca.load("breaks"))) == pytest.approx(before)


def test_the_boroughs_panel_adds_up_to_the_tables_and_says_what_did_not_meet():
    panel = borough_panel.borough_panel()
    assert panel.groupby("fy_start").size().eq(32).all()
    months = ca.load("borough_crime_monthly").query(
        "classification == 'new' and '2014-04' <= month <= '2015-03'"
    )
    year = panel[panel["fy_start"] == 2014]
    for offence in borough_panel.OFFENCES:
        assert year[offence].sum() == months[offence].sum()
    march = ca.load("borough_officers_monthly").query("month == '2015-03'")["officers_fte"].sum()
    assert year["officers_end_fte"].sum() == pytest.approx(march)
    following = panel.loc[panel["fy_start"] == 2015, "officers_start_fte"].sum()
    assert following == pytest.approx(march)
    assert ca.audits(panel)["without partner"].tolist() == [0, 128, 160, 0]


def test_officers_of_a_borough_are_compared_after_the_restructure_alone():
    view = look(place="Bexley")
    data = view.chart.data.set_index("financial_year")["officers_end_fte"]
    change = data["2014/15"] / data["2011/12"] - 1
    word = "rose" if change > 0 else "fell"
    assert f"officers {word} {abs(change):.1%} (2011/12 to 2014/15)" in view.chart.title or (
        f"officers {word} {abs(change):.0%} (2011/12 to 2014/15)" in view.chart.title
    )


def test_a_change_that_chance_could_make_is_not_told_as_one():
    assert "homicide (" in look(place="Kingston upon Thames", measure="homicide").chart.title
    few = look(place="Kingston upon Thames", measure="violence_with_injury").chart.title
    assert few.endswith("cannot be told from no change")
