"""The notebooks on the links: what they show, what they say, and what they say of shuffled data."""

import functools
import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import crime_analysis as ca
from crime_analysis import figures, instrument, places, universes
from crime_analysis.checks import Verdict
from crime_analysis.drawing import Figure
from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.findings import (
    across,
    dose,
    exchanged,
    link_evidence,
    literature,
    violence_change,
)
from crime_analysis.findings.across import slope
from crime_analysis.findings.dose import by_one_sd, early_parting
from crime_analysis.implied import route_in_words
from crime_analysis.links import OUTCOMES
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.prose import Text
from crime_analysis.story import chain, link_checks, link_dose, link_words
from crime_analysis.story import links as story
from crime_analysis.story import literature as studies
from crime_analysis.tables import Folded, Table

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
MET, CITY = "Metropolitan Police", "City of London"
SPAN = ("2009/10", "2017/18")
#: A name that only the panel uses; no reader should meet one outside the tables of joins.
COLUMN = re.compile(r"\blog_|_per_1000|fy_start|exposure_|share_all|financial_year|\bnan\b")


@functools.cache
def panel():
    return universes.with_measures(ca.force_panel("2007/08", "2018/19"))


@functools.cache
def breaks():
    return ca.load("breaks")


@functools.cache
def first(weights="residents"):
    return link_evidence.funding_evidence(panel(), *SPAN, weights)


@functools.cache
def second(outcome):
    return link_evidence.violence_evidence(panel(), outcome, breaks())


@functools.cache
def report():
    return instrument.funding_instrument(panel(), B=49)


def given_to_others(columns, seed):
    """The panel with whole courses of some columns given to other forces."""
    forces = sorted(panel()["force"].unique())
    other = dict(zip(forces, np.random.default_rng(seed).permutation(forces), strict=True))
    source = panel().set_index(["force", "financial_year"])[columns]
    keys = pd.MultiIndex.from_arrays([panel()["force"].map(other), panel()["financial_year"]])
    rows = panel().assign(**{name: source[name].reindex(keys).to_numpy() for name in columns})
    rows.attrs = dict(panel().attrs)
    return rows


def money_to_others(seed):
    columns = [name for name in panel() if name.startswith(("share_", "exposure_"))]
    return given_to_others(["log_funding_real", "funding_real_gbp_m", *columns], seed)


def officers_to_others(seed):
    return given_to_others([name for name in panel() if "officers" in name], seed)


def said(shown):
    """The words of what is shown, but for the tables that list the panel's own columns."""
    listing = ("Every join", "Choices that", "Register of", "Publications")
    words = []
    for one in shown:
        if isinstance(one, Figure):
            words += [one.title, one.alt, one.source, re.sub(r"<[^>]+>", " ", one.svg.decode())]
        elif isinstance(one, Table) and not one.caption.startswith(listing):
            words.append(one.caption + " " + one.frame.to_string(na_rep="–"))
        elif isinstance(one, Text):
            words.append(str(one))
    return words


@pytest.mark.parametrize(
    ("name", "given", "figures"),
    [
        ("05-funding-to-officers", {"force": "Dyfed-Powys", "weights": "alike"}, 8),
        ("06-officers-to-violence", {"force": CITY, "outcome": "homicide"}, 7),
        ("07-the-chain", {"force": CITY, "draws": 99}, 6),
    ],
)
def test_notebooks_run_for_a_welsh_force_and_a_tiny_one_and_speak_plainly(
    shown_by, name, given, figures, monkeypatch
):
    """City of London has too few residents for rates: it is said so, and nothing is divided."""
    # The same regressions are made once for all tests; the pages are what is tried here.
    made, money = report(), first(given.get("weights", "residents"))
    violence = {name: second(name) for name in ("homicide", "violence_with_injury")}
    monkeypatch.setattr(instrument, "funding_instrument", lambda *_, **__: made)
    monkeypatch.setattr(link_evidence, "funding_evidence", lambda *_: money)
    monkeypatch.setattr(link_evidence, "violence_evidence", lambda _, name, __: violence[name])
    shown = shown_by(name, **given)
    told = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["metadata"]
    yields = told["crime_analysis"]["yields"]
    drawn = [one for one in shown if isinstance(one, Figure)]
    assert len(drawn) == figures >= yields["figures"]
    assert sum(isinstance(one, Table | Folded) for one in shown) >= yields["tables"]
    for figure in drawn:
        ElementTree.fromstring(figure.svg)
        assert len(figure.alt) > 80
        assert figure.source
        assert len(figure.data)
    words = said(shown)
    assert len(words) > 20
    for text in words:
        assert not COLUMN.search(text), COLUMN.search(text)[0] + " in " + text[:300]
    assert ("too few residents for rates" in " ".join(words)) == (given["force"] == CITY)


@pytest.mark.parametrize(
    "name", ["05-funding-to-officers", "06-officers-to-violence", "07-the-chain"]
)
def test_notebooks_offer_every_force_outcome_and_year_that_they_can_use(name):
    told = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["metadata"]
    offered = told["crime_analysis"]["parameters"]
    assert offered["force"]["choices"] == list(places.FORCES)
    if "outcome" in offered:
        assert offered["outcome"]["choices"] == list(OUTCOMES)
    if "start" in offered:
        money = ca.load("funding").query("series == 'hmic_estimates'")
        years = sorted(money["financial_year"].unique())
        assert offered["start"]["choices"] == offered["end"]["choices"] == years
    if "price_base" in offered:
        assert set(offered["price_base"]["choices"]) <= set(ca.load("prices")["financial_year"])


def test_the_first_link_is_that_of_links_and_checks_of_what_came_before_unmake_it():
    """Officers per resident with residents held have the elasticity of officers."""
    theirs = ca.funding_to_officers(panel())
    ours = first().headline.first_stage()
    assert ours.estimate == pytest.approx(theirs.table.loc[theirs.headline, "estimate"])
    assert ours.f_statistic == pytest.approx(theirs.table.loc[theirs.headline, "f_statistic"])
    assert first().headline is first().instrumented
    failed = [result.name for result in first().results if result.passed is False]
    assert failed == ["pre-trends", "drift"]
    assert first().verdict.word == "cannot tell"


def result(evidence, name):
    return next(r for r in evidence.results if r.name == name)


@pytest.mark.parametrize("weights", ["residents", "alike"])
def test_title_check_and_table_ask_one_test_of_the_years_before(weights):
    """Officers of every 31 March that the panel holds, against those of 31 March 2010."""
    evidence = first(weights)
    study = dose.by_dose(evidence.rows, "officers", weights=weights)
    tests = study.pre_trends()["p_value"]
    check = result(evidence, "pre-trends")
    assert check.table.loc["test", "p_value"].to_numpy() == pytest.approx(tests.to_numpy())
    assert check.passed is not early_parting(study)
    figure = link_dose.event_study(study, breaks(), "officers")
    assert "officers in post on 31 March 2010, the last count before" in figure.source
    title = figure.title
    assert ("already parting" in title) is (check.passed is False)
    table = report().pre_trends.loc["officers"]
    counted = "residents" if weights == "residents" else "none"
    row = table.loc[("all grants", counted, "in")]
    assert [row["joint_p"], row["slope_p"]] == pytest.approx(tests[["joint", "linear"]].tolist())
    assert [p["period"].min() for p in (study.profile(), check.table.loc["period"])] == [2007, 2007]
    assert all("2009" not in r.text for r in evidence.results)


def test_a_panel_that_begins_a_year_earlier_says_the_same_of_the_years_before():
    """Dated by the year that 31 March ends, with the count of 2007 in, the check fails as well."""
    longer = universes.with_measures(ca.force_panel("2006/07", "2018/19"))
    fit = fit_panel(
        f"log_officers_end_per_1000 ~ log_population | {link_evidence.HELD}"
        " | log_funding_real ~ exposure_all_grants",
        longer, cluster="force", weights="population",
    )  # fmt: skip
    (check,) = ca.checks.run(fit, ("pre-trends",), term="log_funding_real", event=2009)
    assert check.passed is False


@pytest.mark.parametrize("series", ["officers", "violence_with_injury", "homicide"])
def test_per_cent_of_an_event_study_is_one_number_in_title_alt_sentence_and_table(series):
    rows = panel() if series == "officers" else second(series).rows
    study = dose.by_dose(rows, series)
    found, mean = by_one_sd(study), study.average()
    assert found["ci_low"] == pytest.approx(np.exp(mean["ci_low"] * study.dose_sd) - 1)
    figure = link_dose.event_study(study, breaks(), series)
    span = f"{found['ci_low']:+.1%} to {found['ci_high']:+.1%}".replace("-", "−")
    assert span in figure.title
    assert span in figure.alt
    assert span in str(link_dose.parting_by_share(study, series))
    label = series if series == "officers" else OUTCOMES[series][0]
    way = "all grants, unweighted, with London" if series == "homicide" else (
        "all grants, by residents, with London")  # fmt: skip
    made = report()
    if series == "homicide":  # two years that one event dominates are in neither
        asked = ca.links.without_events(panel(), breaks(), series)
        assert asked[series].isna().sum() > 0
        made = instrument.funding_instrument(asked, B=49)
    table = link_dose.pre_trends(made, label)
    row = table.frame.set_index("way").loc[way]
    shown = [table._cell(name, row[name])[0] for name in ("after_low", "after_high")]
    assert " to ".join(shown) == span


@pytest.mark.parametrize("name", ["first", "violence_with_injury"])
def test_a_page_tests_few_forces_once(name):
    """The check, the chart and the exchange of the chain's page show one p-value each."""
    evidence = first() if name == "first" else second(name)
    table = exchanged.few_clusters(evidence).set_index(["model", "way"])["p_value"]
    model = "reduced form" if name == "first" else "fixed effects"
    check = result(evidence, "few clusters").table["p_value"]
    assert check["wild bootstrap"] == table[model, "wild cluster bootstrap"]
    assert check["t distribution"] == pytest.approx(table[model, "t distribution"])
    chained = exchanged.false_alarms(first(), second("violence_with_injury"))
    row = chained.loc["first" if name == "first" else "second"]
    assert row["p_value"] == table[model, "forces exchanged"]
    pd.testing.assert_series_equal(exchanged.alarms(evidence), row, check_names=False)
    for shown in (story.instrument_ways(report(), "officers").data.columns,
                  story.instrument_effects(report()).frame.columns):  # fmt: skip
        assert "p_value" not in shown


def test_what_95_per_cent_is_worth_is_known_without_the_checks():
    bare = link_evidence.funding_evidence(panel(), *SPAN, checked=False)
    assert bare.results == ()
    assert bare.verdict.word == "cannot tell"
    pd.testing.assert_series_equal(exchanged.alarms(bare), exchanged.alarms(first()))
    bare = link_evidence.violence_evidence(panel(), "homicide", breaks(), checked=False)
    assert bare.results == ()
    pd.testing.assert_series_equal(exchanged.alarms(bare), exchanged.alarms(second("homicide")))


def test_the_links_are_exchanged_apart_from_each_other():
    one, two = (exchanged._read(e, 199, 1)[0] for e in (first(), second("violence_with_injury")))
    assert (one != two).any()


def test_an_answer_says_near_its_interval_what_95_per_cent_is_worth():
    money, officers = exchanged.alarms(first()), exchanged.alarms(second("violence_with_injury"))
    told = str(link_words.funding_answer(first(), panel(), "Kent", *SPAN, money))
    assert "That 95% is nominal: with every force given another's money at random" in told
    assert f"zero out in {money['share']:.1%} of 499 exchanges, more often than 5%" in told
    evidence = second("violence_with_injury")
    detectable = ca.minimum_detectable_effect(evidence.headline, evidence.term)
    designed = ca.design_analysis(-0.3, evidence.headline, evidence.term)
    told = str(
        link_words.violence_answer(evidence, "violence_with_injury", designed, detectable, officers)
    )
    assert "given another's officers at random" in told
    assert f"{officers['share']:.1%} of 499 exchanges" in told
    both = exchanged.false_alarms(first(), evidence)
    much = chain.in_short(first(), evidence, changes(-0.14, 0.5), moved("Kent"), "robbery", both)
    assert f"{money['share']:.1%} (funding and officers) and {officers['share']:.1%}" in str(much)
    honest = money.replace(money.to_dict()) * 0 + [499, 25, 0.05, 0.03, 0.07, 0.5]
    assert link_words.worth(honest) == "about as often as 5%"
    assert link_words.worth(honest * 0.1) == "less often than 5%"


def test_a_bound_beyond_reason_is_called_none_wherever_it_is_shown():
    """All grants by residents with London: the first stage's F is 4, the set ends near 286."""
    link = second("violence_with_injury").link
    assert link.table["ci_high"].max() > 100
    figure = story.ways(link)
    effects = story.instrument_effects(report(), "violence with injury")
    drawn = story.instrument_ways(report(), "violence with injury")
    shown = story.all_ways({"violence_with_injury": link}, "A title")
    for text in (figure.alt, drawn.alt, shown.alt, effects._repr_html_(),
                 drawn.data.to_string(), story.ways_table(link, "Ways")._repr_html_()):  # fmt: skip
        assert "no bound" in text
        assert not re.search(r"\b28[56](\.\d)?", text)
    for text in (figure.source, drawn.source, shown.source, effects.caption,
                 story.ways_table(link, "Ways").caption):  # fmt: skip
        assert "none within an elasticity of 10" in text
    assert "none within" not in story.ways_table(first().link, "Ways").caption


def test_a_route_is_named_by_the_way_its_cause_went():
    """Surrey's officers rose: no page says that they were lost."""
    told = str(chain.explained(changes(0.14, 0.5), moved("Surrey"), "robbery"))
    assert "the rise in officers per resident could account for" in told
    assert "lost" not in told
    table = story.implied_table(changes(0.14, 0.5), "Surrey").frame
    assert table["route"].tolist() == [
        "rise in officers per resident",
        "rise in real funding",
    ]
    assert route_in_words("funding lost", float("nan")) == "change in real funding"


def test_strengths_are_said_as_people_say_them():
    _, told = link_checks.hidden(first().reduced, first().exposure)
    figure, _ = link_checks.hidden(second("violence_with_injury").plain, "log_officers_per_1000")
    for text in (str(told), figure.alt, figure.data.to_string()):
        assert not re.search(r"\b1 times|\b[\d.]+x |r2dz|r2yz|_reported", text)
    assert "about as related" in str(told)
    assert "half as strong as" in str(told)


def test_what_cannot_be_asked_of_the_first_link_is_refused():
    with pytest.raises(UnknownNameError, match="residents"):
        link_evidence.funding_evidence(panel(), *SPAN, weights="resident")
    with pytest.raises(ModelError, match="two years"):
        link_evidence.funding_evidence(panel(), "2010/11", "2012/13")


def test_counting_forces_alike_is_the_regression_without_weights():
    alike = first("alike")
    plain = fit_panel(alike.plain.formula, panel(), cluster="force")
    assert alike.plain.tidy()["estimate"].to_numpy() == pytest.approx(plain.tidy()["estimate"])
    table = alike.link.table
    assert table.loc["the same, forces counted by residents", "estimate"] == pytest.approx(
        first().link.table.loc["forces and years (fixed effects)", "estimate"]
    )


def test_the_second_link_cannot_tell_by_recorded_violence_nor_by_homicide():
    for outcome in ("violence_with_injury", "homicide"):
        evidence = second(outcome)
        assert evidence.verdict.word == "cannot tell"
        assert evidence.headline is evidence.plain
    assert second("homicide").instrumented is None


def test_if_money_had_gone_to_other_forces_the_sentences_cannot_tell():

    rows, years = money_to_others(2), ("2009/10", "2013/14")
    evidence = link_evidence.funding_evidence(rows, *years)
    used = evidence.plain.data_used.query("kept")["financial_year"].unique()
    assert sorted(used) == ["2009/10", "2012/13", "2013/14"]  # money of other years is not used
    picture = figures.scatter(ca.changes(rows, *years), "Kent", *years)
    assert "cannot tell whether officers moved with money" in picture.title
    told = str(link_words.funding_answer(evidence, rows, "Kent", *years))
    assert told.startswith("These data cannot tell how far officers moved with money")
    assert "cannot tell" in str(link_words.checked(evidence))
    parted = dose.by_dose(rows, "officers")
    assert "cannot tell the sign" in link_dose.event_study(parted, breaks(), "officers").title
    said_of = str(link_words.instrument(instrument.funding_instrument(rows, B=49), "officers", ""))
    assert "Officers: cannot tell" in said_of
    tests = exchanged.few_clusters(evidence, 199)
    assert "clear of zero" not in link_checks.few_clusters(tests).title


def test_if_officers_had_gone_to_other_forces_the_sentences_cannot_tell():
    rows, outcome = officers_to_others(1), "violence_with_injury"
    evidence = link_evidence.violence_evidence(rows, outcome, breaks())
    detectable = ca.minimum_detectable_effect(evidence.headline, evidence.term)
    designed = ca.design_analysis(-0.3, evidence.headline, evidence.term)
    told = str(link_words.violence_answer(evidence, outcome, designed, detectable))
    assert told.startswith("These data cannot tell whether losing officers raised")
    assert story.ways(evidence.link).title.startswith("None of ")
    tests = exchanged.few_clusters(evidence, 199)
    assert "cannot tell from zero" in link_checks.few_clusters(tests).title
    assert "It holds zero too" in str(studies.beside_ours(evidence.link, outcome))
    both = link_words.verdicts(first(), evidence).paragraphs
    assert both[0].startswith("The whole chain, by rule: cannot tell")
    curve = ca.specification_curve(universes.officers_universe(), rows, draws=99, rng=1)
    assert story.curve(curve, breaks(), ("robbery",))[0].title.startswith("Cannot tell: ")


@pytest.mark.parametrize(
    ("true", "opening", "told", "found"),
    [
        (-1.5, "These data cannot tell", "Before any check: With 95% confidence", "more robbery"),
        (1.5, "Recorded robbery is associated", "With 95% confidence", "less robbery"),
    ],
)
def test_a_planted_link_is_told_with_its_sign_and_what_checks_allow(true, opening, told, found):
    """With the first, outcomes part by dose before the cuts, as officers did: a check fails."""
    noise = np.random.default_rng(5).normal(0, 0.02, len(panel()))
    rows = panel().assign(log_robbery_per_1000=true * panel()["log_officers_per_1000"] + noise)
    evidence = link_evidence.violence_evidence(rows, "robbery", breaks())
    detectable = ca.minimum_detectable_effect(evidence.headline, evidence.term)
    designed = ca.design_analysis(-0.3, evidence.headline, evidence.term)
    answer = link_words.violence_answer(evidence, "robbery", designed, detectable).paragraphs
    assert answer[0].startswith(opening)
    assert answer[1].startswith(told)
    assert found in answer[1]
    side = "a negative" if true < 0 else "a positive"
    assert side in story.ways(evidence.link).title
    assert "leaves zero out" in str(studies.beside_ours(evidence.link, "robbery"))


def test_exchanging_homicides_finds_a_planted_effect_and_none_in_the_figures():
    real = second("homicide")
    rate = 1e-5 * np.exp(-4 * (real.rows["log_officers_per_1000"] - 0.6))
    drawn = np.random.default_rng(2).poisson(rate * real.rows["population"]).astype(float)
    rows = real.rows.assign(homicide=drawn)
    planted = replace(real, rows=rows, plain=real.plain.refit(data=rows))
    found = exchanged.few_clusters(planted, 199)
    assert (found["p_value"] < 0.05).all()
    assert found["p_value"].iloc[1] == pytest.approx(1 / 200)  # no exchange goes as far
    assert (exchanged.few_clusters(real, 199)["p_value"] > 0.2).all()


def test_the_score_that_is_exchanged_is_the_t_statistic_where_there_is_no_effect():
    """Score and Wald tests of the same zero agree near it, in sign and roughly in size."""
    real = second("homicide")
    row = real.plain.term(real.term)
    score = exchanged._score(real)(real.rows)
    assert np.sign(score) == np.sign(row["statistic"])
    assert score == pytest.approx(row["statistic"], abs=0.1)


def test_a_chain_is_as_weak_as_its_weakest_link():
    strong, weak = Verdict("effect", ("a",)), Verdict("cannot tell", ("b",))
    assert link_evidence.weaker(strong, weak) == weak
    assert link_evidence.weaker(strong, Verdict("association", ())).word == "association"


def test_three_years_are_pooled_at_each_end():
    rows = across.ends(panel(), "homicide").set_index("force")
    kent = panel()[panel()["force"] == "Kent"].set_index("financial_year")
    last = kent.loc[["2016/17", "2017/18", "2018/19"]]
    early = kent.loc[["2007/08", "2008/09", "2009/10"]]
    rates = [part["homicide"].sum() / part["population"].sum() for part in (early, last)]
    assert rows.loc["Kent", "outcome_change"] == pytest.approx(rates[1] / rates[0] - 1)
    assert rows.attrs == {"first": "2007/08 to 2009/10", "last": "2016/17 to 2018/19"}
    with pytest.raises(ModelError, match="years"):
        across.ends(panel().query("fy_start < 2010"), "homicide")


def test_an_unknown_change_implies_nothing_known():
    assert np.isnan(link_evidence.implied_by(first().link, float("nan"))).all()
    middle, low, high = link_evidence.implied_by(first().link, -0.2)
    assert low < middle < high < 0


def test_words_change_no_number():
    study = dose.by_dose(panel(), "officers")
    told = link_words.in_words(study)
    pd.testing.assert_frame_equal(study.tidy(), told.tidy())
    assert told.outcome == "log officers per resident"
    curve = ca.specification_curve(universes.officers_universe(), panel(), draws=0)
    shown = link_words.in_words(curve)
    numbers = ["estimate", "std_error", "nobs"]
    pd.testing.assert_frame_equal(curve.table[numbers], shown.table[numbers])


def test_a_column_inside_another_name_is_left_alone():
    assert link_words.spelt("my_log_population") == "my_log_population"
    told = link_words.spelt("y ~ 1 | force + fy_start | log_funding_real ~ exposure_all_grants")
    assert told == (
        "y, force and year effects held, with log real funding moved by exposure to the cuts"
    )
    assert link_words.spelt("'homicide ~ log_population | force' is 'poisson'") == (
        "“homicide on log residents, force effects held” is a model of counts"
    )


def test_breaks_that_concern_a_series_are_drawn_and_told():
    """HMIC's inspection of November 2014 moved recorded violence, not homicide."""
    found = link_words.concerning(breaks(), (("recorded_crime", "violence_with_injury"),))
    assert 2014.0 in found
    assert 2014.0 not in link_words.concerning(breaks(), (("recorded_crime", "homicide"),))
    study = dose.by_dose(panel(), "violence_with_injury")
    figure = link_dose.event_study(study, breaks(), "violence_with_injury")
    assert "Dotted, 2014: HMIC found" in figure.source
    assert "Break in the figures" in figure.svg.decode()
    plain = study.plot()
    assert "Dotted" not in plain.source
    assert "Break in the figures" not in plain.svg.decode()


def test_published_elasticities_are_those_that_were_read_and_errors_are_not_made_up():
    """LITERATURE.md, A1 and A2."""
    rows = literature.elasticities()
    own = rows[rows["basis"] == "computed again from the authors' data"]
    known = own.set_index(["study", "crime"])[["elasticity", "std_error"]]
    assert known.loc[("Draca, Machin and Witt (2011)", "all")].tolist() == [-0.327, 0.092]
    assert known.loc[("Chalfin and McCrary (2018)", "violent")].tolist() == [-0.344, 0.088]
    assert known.loc[("Chalfin and McCrary (2018)", "murder")].tolist() == [-0.666, 0.218]
    other = rows[rows["basis"] != "computed again from the authors' data"]
    assert other["std_error"].isna().all()
    assert other["note"].str.contains("no standard error was seen").all()
    mello = rows[rows["study"].str.startswith("Mello")].set_index("crime")["elasticity"]
    assert mello.round(1).to_dict() == {"cost-weighted": -1.1, "violent": -1.3, "property": -0.8}
    assert rows["source"].str.len().min() > 0
    assert {"Vollaard and Hamed (2012)", "Lee, Eck and Corsaro (2016)"} <= set(
        literature.findings()["study"]
    )


def test_no_study_counts_twice_for_one_crime():
    for outcome in OUTCOMES:
        rows = literature.held(outcome, -np.inf, np.inf)
        assert not rows.duplicated(["study", "crime"]).any()
        assert rows["held"].all()
    assert not literature.held("robbery", 0.1, 0.2)["held"].any()
    assert not (literature.held("robbery", -9, 9)["crime"] == "property").any()
    with pytest.raises(UnknownNameError, match="homicide"):
        literature.held("homicides", 0, 1)


def test_a_fall_of_a_seventh_in_officers_implies_a_twentieth_more_violence():
    """LITERATURE.md, A4: 14% fewer officers at -0.35 is about 5% more violent crime."""
    rows = literature.implied("violence_with_injury", -0.14)
    published = rows[rows["elasticity"] == -0.35]["implied_change"].iloc[0]
    assert published == pytest.approx(0.05, abs=0.005)
    assert (rows["ci_low"].dropna() <= rows["ci_high"].dropna()).all()
    gained = literature.implied("violence_with_injury", 0.14)
    assert (gained["implied_change"].dropna() < 0).all()


def changes(officers, recorded):
    routes = ["officers lost", "funding lost"]
    return pd.DataFrame(
        {
            "outcome": "robbery", "route": routes, "cause_change": officers,
            "actual_change": recorded, "share_low": [-0.2, 0.1], "share_high": [0.4, 1.7],
        }
    )  # fmt: skip


def test_what_studies_imply_is_set_beside_what_was_recorded():
    told = str(studies.carried_over(changes(-0.14, 0.5), "Kent", "robbery"))
    assert "fell 14%" in told
    assert "more crime" in told
    assert "violent crime, all crime and crime weighted by its cost" in told
    assert "of the recorded rise" in told
    part = str(studies.carried_over(changes(-0.176, 0.068), "Kent", "robbery"))
    assert "of the recorded rise to more than the whole of it" in part
    whole = str(studies.carried_over(changes(-0.14, 0.01), "Kent", "robbery"))
    assert "the whole recorded rise or more" in whole
    fell = str(studies.carried_over(changes(-0.14, -0.1), "Kent", "robbery"))
    assert "no share of a rise" in fell
    gained = str(studies.carried_over(changes(0.14, 0.5), "Kent", "robbery"))
    assert "less crime" in gained
    unknown = str(studies.carried_over(changes(float("nan"), 0.5), "Kent", "robbery"))
    assert "Nothing is carried over" in unknown


def test_what_the_losses_could_account_for_runs_from_their_intervals():
    told = str(chain.explained(changes(-0.14, 0.5), moved("Kent"), "robbery"))
    assert "fall in officers per resident could account for anything from none of it to 40%" in told
    assert "fall in real funding could account for anything from 10% of it to more than all" in told
    assert "no rise" in str(chain.explained(changes(-0.14, -0.1), moved("Kent"), "robbery"))
    assert "too few residents" in str(
        chain.explained(changes(-0.1, 0.1).iloc[:0], moved(CITY), "robbery")
    )


def test_the_forest_draws_ours_and_theirs_and_names_no_interval_that_was_not_seen():
    links = {name: second(name).link for name in ("violence_with_injury", "homicide")}
    figure = studies.forest_plot({"officers": first().link, **links}, "homicide")
    assert "and zero: these figures cannot tell which" in figure.title
    assert "Evans and Owens (2007): -0.99;" in figure.alt
    ours = figure.data[figure.data["group"].str.startswith("These figures")]
    assert list(ours["label"]) == ["violence with injury", "homicide"]
    assert "Draca, Machin and Witt (2011): -0.40 to -0.30" in figure.alt


def test_leaving_out_the_met_moves_the_first_link_most_and_is_marked():
    figure = link_checks.leave_one_out(first(), MET)
    assert f"highest without {MET}" in figure.alt
    assert f"without {MET}" in figure.svg.decode()
    tiny = link_checks.leave_one_out(first(), CITY)
    assert CITY not in tiny.svg.decode()


@functools.cache
def alarms(weights="residents", outcome="violence_with_injury"):
    return exchanged.false_alarms(first(weights), second(outcome), 999, rng=2018)


def test_in_nearly_all_exchanges_the_chain_cannot_tell():
    """Two independent links at 5% each would be 1 in 400; intervals too narrow make it more."""
    for outcome in ("violence_with_injury", "homicide"):
        chained = alarms(outcome=outcome).loc["chain"]
        assert chained["exchanges"] == 999
        assert chained["ci_high"] < exchanged.NOMINAL


def test_false_alarms_of_counted_officers_are_near_the_nominal_level_and_of_weighted_ones_above():
    """Weighted by residents London is a sixth of all, and few clusters make intervals narrow."""
    counted = alarms(outcome="homicide").loc["second"]
    assert counted["share"] == pytest.approx(exchanged.NOMINAL, abs=0.02)  # 4.2% of 9,998
    for name in ("first", "second"):
        weighted = alarms().loc[name]
        assert exchanged.NOMINAL < weighted["share"] < 3 * exchanged.NOMINAL
    assert alarms("alike").loc["first", "share"] < alarms().loc["first", "share"]


def test_exchange_does_not_undo_the_first_link_and_shows_nothing_in_the_second():
    assert alarms().loc["first", "p_value"] < 0.05
    assert alarms().loc["second", "p_value"] > 0.2


def test_an_alarm_is_what_the_link_itself_would_read_from_exchanged_money():
    """By brute force: the whole link fitted anew, and the regression on the instrument alone."""
    read, implied, strengths = [], [], []
    for seed in range(12):
        rows = money_to_others(seed)
        link = ca.funding_to_officers(rows)
        row = link.table.loc[link.headline]
        read.append(ca.links.verdict(row["ci_low"], row["ci_high"]))
        strengths.append(row["f_statistic"])
        fit = first().reduced
        known = rows.dropna(subset=["log_funding_real"]).assign(residents=rows["population"])
        refitted = fit.refit(data=known).term(first().exposure)
        clear = refitted["ci_low"] > 0 or refitted["ci_high"] < 0
        implied.append("association" if clear else "cannot tell")
    assert min(strengths) > 10
    assert read == implied
    assert read.count("cannot tell") >= 9


def test_what_chance_reads_is_said_as_counted():
    told = chain.false_alarms(alarms(), first(), second("violence_with_injury")).paragraphs
    count = int(alarms().loc["chain", "alarms"])
    assert f"an association in {count} of 999 exchanges" in told[0]
    assert f"“cannot tell” in the other {999 - count}" in told[0]
    assert "too narrow" in told[1]
    honest = alarms().assign(ci_low=0.03, ci_high=0.07)
    told = str(chain.false_alarms(honest, first(), second("violence_with_injury")))
    assert told.count("about as often as a 95% interval should") == 2
    assert "too narrow" not in told


def test_over_many_exchanges_the_scatter_does_not_claim_a_direction():
    rows = ca.changes(panel(), *SPAN).dropna(subset=["funding_change", "officers_change"])
    generator = np.random.default_rng(7)
    claimed = 0
    for _ in range(40):
        other = rows.assign(officers_change=generator.permutation(rows["officers_change"]))
        claimed += slope(other, "funding_change", "officers_change").clear
    assert claimed <= 6  # of 40 at 5%: more would come once in three hundred times
    title = figures.scatter(rows, "Kent", *SPAN).title
    assert "cannot tell" not in title
    other = rows.assign(
        officers_change=np.random.default_rng(1).permutation(rows["officers_change"])
    )
    title = figures.scatter(other, "Kent", *SPAN).title
    assert title.startswith("Across forces: cannot tell whether officers moved with money")


def test_a_slope_across_forces_is_least_squares_with_robust_errors():
    """statsmodels, HC1 with the t distribution."""
    rows = ca.changes(panel(), *SPAN)
    both = rows[["share_all_grants", "funding_change"]].dropna()
    design = sm.add_constant(both[["share_all_grants"]])
    theirs = sm.OLS(both["funding_change"], design).fit(cov_type="HC1", use_t=True)
    ours = slope(rows, "share_all_grants", "funding_change")
    interval = theirs.conf_int().loc["share_all_grants"]
    assert [ours.estimate, ours.low, ours.high] == pytest.approx(
        [theirs.params["share_all_grants"], *interval]
    )
    assert ours.places == len(both)


@functools.cache
def moved(force):
    return violence_change.violence_change(force, *SPAN)


def in_short(word, implied, outcome="robbery"):
    strong = replace(first(), verdict=Verdict("effect", ()))
    other = replace(second("violence_with_injury"), verdict=Verdict(word, ("a reason",)))
    return chain.in_short(strong, other, implied, moved("Kent"), outcome).paragraphs


def test_the_first_lines_say_how_much_of_the_rise_the_cut_explains_and_how_sure_that_is():
    much, sure = in_short("cannot tell", changes(-0.14, 0.5))
    assert much.startswith("These data cannot tell how much of the rise the cut explains")
    assert "rose 50%" in much
    # Other years than the money's are named, with what the measure did in the money's own.
    assert "Violence is that of 2010/11 and 2018/19" in much
    assert "from 2009/10 to 2017/18 itself it rose" in much
    assert "anything from 10% of it to more than all, with 95% confidence" in much
    assert sure.startswith("How sure: not sure enough to say that it explains any of it")
    assert "officers and violence with injury" in sure
    doubtful = chain.in_short(
        first(), second("violence_with_injury"), changes(-0.14, 0.5), moved("Kent"), "robbery"
    )
    assert "here both links, which by rule read “cannot tell”" in str(doubtful)
    much, sure = in_short("effect", changes(-0.14, 0.5))
    assert much.startswith("How much of the rise")
    assert "an effect, so far as the checks can see" in sure
    assert in_short("association", changes(-0.1, -0.1))[0].startswith("Nothing is there to explain")
    assert "too few residents" in in_short("cannot tell", changes(-0.1, 0.1).iloc[:0])[0]
    unknown = changes(-0.14, 0.5).assign(share_low=np.nan)
    assert "is not known" in in_short("cannot tell", unknown)[0]


def test_a_chart_of_the_instrument_says_first_where_forces_parted_before_the_cuts():
    title = story.instrument_ways(report(), "officers").title
    early = report().effects.xs("officers", level="outcome")["reading"].eq("parted before").sum()
    assert early
    assert title.index(f"{early} part before the cuts") < title.index("bounded set")
    whole = report().plot().title
    assert whole.index(f"before the cuts: officers {early}") < whole.index("without zero")
