"""The first page and the page on the data: what they say, and when they do not."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import crime_analysis as ca
from crime_analysis import codebook, crosscheck
from crime_analysis.checks import Verdict
from crime_analysis.errors import UnknownNameError
from crime_analysis.findings import (
    claims,
    claims_violence,
    data_log,
    exchanged,
    grant_cut,
    link_evidence,
    measures,
    place_report,
    violence_change,
)
from crime_analysis.prose import Text
from crime_analysis.reports.job import make_job
from crime_analysis.story import (
    data,
    data_quality,
    place_words,
    recording,
    series,
    start,
    start_charts,
    violence,
    violence_words,
)

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
MET = "Metropolitan Police"


@pytest.fixture(scope="module")
def breaks():
    return ca.load("breaks")


@pytest.fixture(scope="module")
def pairs():
    return crosscheck.crosscheck()


@pytest.fixture(scope="module")
def everywhere(breaks):
    return data_log.spread(ca.load("recorded_crime"), ca.load("hospital_admissions"), breaks)


@pytest.fixture(scope="module")
def met():
    return place_report.force_report(MET, "2009/10", "2017/18", "2017/18")


@pytest.fixture(scope="module")
def found(met, breaks):
    return link_evidence.every_link(met.panel, breaks)


@pytest.fixture(scope="module")
def alarms(found):
    return exchanged.false_alarms(found["officers"], found["violence_with_injury"])


def worded(found, *words):
    """The links with other verdicts."""
    names = ("officers", "violence_with_injury")
    return found | {
        name: dataclasses.replace(found[name], verdict=Verdict(word, ()))
        for name, word in zip(names, words, strict=True)
    }


@pytest.fixture(scope="module")
def causal(met, found):
    return claims_violence.causal(met.panel, found)


@pytest.fixture(scope="module")
def checked(causal):
    return claims.check_claims(causal=causal)


@pytest.fixture(scope="module")
def fall():
    return grant_cut.reconstruction(ca.load("funding"), ca.load("prices"))


@pytest.fixture(scope="module")
def pages():
    return series.series()


# What the figures cover.


def test_every_shipped_table_is_a_series_or_a_list():
    named = [*data_log.LISTS, *(name for names in data_log.SUBJECTS.values() for name in names)]
    assert sorted(named) == sorted(t.name for t in codebook.TABLES)


def test_coverage_shows_gaps_and_never_fills_them():
    held = data_log.coverage().set_index(["table", "series"])["years"]
    # HMIC's profiles of 2010 and 2012 to 2017 leave out 2010/11 and 2011/12.
    assert held["funding", "hmic_estimates"] == (2009, 2012, 2013, 2014, 2015, 2016, 2017)
    assert held["recorded_crime", ""] == tuple(range(2002, 2023))
    assert held["officers", ""] == tuple(range(2004, 2022))  # 31 March 2005 ends 2004/05
    assert held["hospital_admissions", ""] == tuple(range(2012, 2022))


def test_each_series_of_funding_names_its_own_publishers():
    held = data_log.coverage().set_index("series")["publishers"]
    assert all("Inspectorate" in name for name in held["hmic_actuals"])
    assert not any("Inspectorate" in name for name in held["outturn"])


def test_the_title_of_the_coverage_chart_counts_what_is_held():
    held = data_log.coverage()
    whole = held["years"].map(lambda years: set(range(2009, 2018)) <= set(years))
    assert data.covered(held).title.startswith(f"Of {len(held)} series {whole.sum()} hold")
    assert data.covered(held[~whole]).title.startswith(f"Of {(~whole).sum()} series 0 hold")


def test_joining_in_words_counts_as_the_audits_do(met):
    audits = ca.audits(met.panel)
    text = str(data.joins(audits, met.panel))
    assert "504 rows: 42 forces in 12 years" in text
    assert "Left out as a whole: City of London" in text
    assert f"Of {len(audits)} joins {(audits['without partner'] == 0).sum()} met" in text
    assert "deprivation of 2010, 48 of 504 (Wales has an index of its own)" in text


# Breaks.


def test_breaks_of_london_touch_no_other_force(breaks):
    kent = data_log.touching(breaks, "Kent").set_index("id")["touches"]
    london = data_log.touching(breaks, MET).set_index("id")["touches"]
    assert not kent["met-new-system"]
    assert london["met-new-system"]
    assert not kent["population-pandemic-census"]
    assert london["population-pandemic-census"]
    assert kent["recording-inspection"]
    assert london["recording-inspection"]
    assert not kent["knife-surrey-sussex"]
    assert data_log.touching(breaks, "Surrey").set_index("id").at["knife-surrey-sussex", "touches"]


def test_the_timeline_draws_every_break_and_counts_those_that_touch(breaks):
    drawn = data.breaks_timeline(breaks, "Kent")
    assert len(drawn.data) == len(breaks)
    assert drawn.title.startswith(f"{drawn.data['touches'].sum()} of {len(breaks)} ")
    assert b"inspection of recording" in drawn.svg


# How publications agree.


def test_the_log_counts_every_pair_once(pairs):
    log = data_log.log(pairs)
    assert log["pairs"].sum() == len(pairs)
    assert (log["agree"] + log["declared"] + log["failed"]).sum() == len(pairs)
    assert "other" not in set(log["subject"])


def test_a_pair_that_differs_without_a_reason_changes_what_is_said(pairs):
    assert str(data_quality.quality(pairs)).startswith("No pair of figures differs")
    broken = pairs.copy()
    broken.loc[0, "verdict"] = "differs"
    assert str(data_quality.quality(broken)).startswith("1 pairs of figures differ by more")
    assert data_log.log(broken)["failed"].sum() == 1


def test_mopac_and_the_home_office_count_the_mets_officers_apart(pairs):
    rows = pairs[(pairs["comparison"] == "officers-mopac-2014-2022")]
    pair = rows[rows["period"].str.startswith("2018-03")].iloc[0]
    # DESIGN.md, figures of record: 30,390.23 and 29,924 in March 2018.
    assert (pair["first_value"], pair["second_value"]) == (30390.23, 29924)
    apart = data_log.apart(pairs, MET).loc["officers-mopac-2014-2022"]
    assert apart["least"] <= 29924 / 30390.23 - 1 <= apart["most"]


def test_the_farthest_pair_of_a_comparison_is_the_farthest(pairs):
    found = data_log.farthest(pairs, MET).set_index("comparison")["difference"]
    mine = pairs[(pairs["place"] == MET) & pairs["ratio"].notna()]
    for name, rows in mine.groupby("comparison"):
        assert abs(found[name]) == pytest.approx((rows["ratio"] - 1).abs().max())


@pytest.mark.parametrize("force", ["Gwent", "City of London"])
def test_where_nothing_differs_nothing_is_drawn(pairs, force):
    assert isinstance(data_quality.differing(pairs, force), Text)


def test_revisions_are_those_of_the_force_and_none_is_invented():
    officers, knife = ca.load("officers_revisions"), ca.load("knife_revisions")
    found = data_log.revised(officers, knife, MET)
    row = found[found["figure"] == "officers"].iloc[0]
    assert (row["first"], row["last"]) == (31877.24, 32251.61)  # bulletin 2015, open data 2022
    none = data_quality.revisions(officers.iloc[:0], knife.iloc[:0], MET)
    assert "No figure" in str(none)


@pytest.mark.parametrize(("year", "publisher"), [(2018, "Home Office"), (2005, "Inspectorate")])
def test_a_figure_is_followed_to_its_cells(year, publisher):
    trace = ca.trace("officers", force=MET, date=f"{year}-03-31")
    words = str(data_quality.traced_words(trace))
    assert publisher in words
    assert f"{trace.value:,.2f}" in words
    assert {"figure", "file", "cells"} <= set(data_quality.traced(trace).frame["what"])


# Across the inspection of 2014.


def test_recorded_violence_rose_in_as_many_forces_as_the_table_says(everywhere):
    crime = ca.load("recorded_crime")
    rose = 0
    for _, rows in crime[crime["offence_group"] == "violence_without_injury"].groupby("force"):
        counts = rows.set_index("financial_year")["offences"]
        rose += counts["2015/16"] > counts["2013/14"]
    mine = everywhere[everywhere["measure"] == "violence_without_injury"]
    assert (mine["change"] > 0).sum() == rose


def test_the_title_follows_the_figures(everywhere, breaks):
    title = recording.across_words(everywhere, breaks)
    assert "violence without injury rose in 43 of 43" in title
    assert "cannot be told from no change" in title
    turned = everywhere.assign(change=-everywhere["change"])
    assert "violence without injury rose in 0 of 43" in recording.across_words(turned, breaks)
    clear = everywhere.assign(total_low=0.2, total_high=0.4)
    assert "cannot be told" not in recording.across_words(clear, breaks)
    unknown = everywhere.assign(change=np.nan)
    assert "cannot tell" in recording.across_words(unknown, breaks)


def test_a_year_that_one_event_dominates_is_left_out_of_homicide(everywhere, breaks):
    crime, stays = ca.load("recorded_crime"), ca.load("hospital_admissions")
    later = data_log.spread(crime, stays, breaks, "2013/14", "2016/17")
    rows = later[later["measure"] == "homicide"].set_index("place")
    assert np.isnan(rows.at["South Yorkshire", "after"])  # register: homicide-south-yorkshire
    assert rows["after"].notna().sum() == 42


def test_knife_crime_with_injury_is_said_of_london_alone():
    told = {
        force: str(
            recording.knife_with_injury(measures.knife_crime(force), measures.yearly(force), force)
        )
        for force in (MET, "Kent")
    }
    assert "from 2013/14 to 2014/15" in told[MET]
    assert "not on hand" in told["Kent"]


# The first page.


def test_the_first_page_holds_the_figures_of_record(met, fall, checked, pages):
    cut = str(start.cut(met, fall, checked, pages))
    # DESIGN.md: about £718m; 29% of the earlier figure, 40% of the later.
    assert "£718m" in cut
    assert "29% of the figure of 2009/10 and 40% of that of 2017/18" in cut
    assert "council tax, which the Mayor of London sets" in cut
    # DESIGN.md: 33,366.55 (2010) and 30,390.23 (2018).
    assert "from 33,367 to 30,390 full-time equivalents" in str(start.officers(met, pages))


def test_what_the_cut_explains_begins_with_the_doubt(met, found, alarms, pages):
    told = start.explained(met, found, alarms, pages)
    assert told.answer.startswith("These data cannot tell how much of it the cut explains")
    ways = len(found["violence_with_injury"].link.table)
    assert f"{ways} of {ways} ways of estimating it cannot tell" in str(told)
    assert "funding to officers: cannot tell after the checks (failed: " in str(told).lower()
    # The years' own change beside that of the years that followed; what the 95% is worth.
    assert "from 2009/10 to 2017/18 itself it fell 1.3%" in str(told)
    assert f"{alarms.at['first', 'share']:.1%} (funding and officers)" in str(told)


def test_associated_links_are_called_so_and_no_cause(met, found, alarms, pages):
    both = worded(found, "association", "association")
    told = start.explained(met, both, alarms, pages).answer
    assert "cannot tell" not in told
    assert "associated" in told
    assert "no proof of a cause" in told


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("association", "cannot tell"), "cannot tell whether losing officers raised violence;"),
        (("cannot tell", "cannot tell"), "violence, nor how far money moved officers"),
        (("cannot tell", "association"), "cannot tell how money moved officers"),
        (("effect", "association"), "more violence with injury: association"),
    ],
)
def test_the_chain_says_of_each_link_what_its_checks_left(met, found, words, expected):
    drawn = start_charts.chain(met, worded(found, *words))
    assert expected in drawn.title
    assert f"money to officers: {words[0]}" in drawn.alt


def test_the_answer_on_violence_turns_with_the_counts(met):
    change = met.violence
    told = violence_words.answer(change)
    assert told.startswith("It depends on the measure")
    assert "violence without injury rose" in told
    fell = change.recorded.assign(change=-0.2, ci_low=-0.3, ci_high=-0.1)
    alike = violence_words.answer(dataclasses.replace(change, recorded=fell))
    assert "move the same way" in alike
    assert "violence without injury fell 20%" in alike
    unclear = dataclasses.replace(change.ratio, ci_low=0.8, ci_high=1.3)
    doubt = violence_words.answer(dataclasses.replace(change, ratio=unclear))
    assert doubt.startswith("These data cannot tell whether violence itself rose")


def test_a_measure_that_chance_could_have_moved_does_not_decide_the_answer(met):
    change = met.violence
    rows = change.recorded.assign(change=-0.2, ci_low=-0.3, ci_high=-0.1)
    rows.loc["robbery", ["change", "ci_low", "ci_high"]] = [0.01, -0.02, 0.04]
    within = dataclasses.replace(change, recorded=rows)
    assert within.reading == "one way"
    assert "robbery cannot be told from no change (anything from 2.0% less" in (
        violence_words.answer(within)
    )


def test_the_first_page_the_violence_page_and_the_report_say_the_same_of_violence(met, pages):
    """Recorded offences per resident and homicides over three years, wherever it is said."""
    answer = violence_words.answer(met.violence)
    assert "violence with injury fell 1.3%" in answer
    own = violence_change.violence_change(MET, "2009/10", "2017/18")
    shown = violence.changes(own, measures.yearly(MET), ca.load("breaks"))
    assert shown.paragraphs[0] == answer == start.violence(met, pages).answer
    assert answer[1:] in str(place_words.summary(met))
    alone = violence_words.alone(met.violence)
    assert "117 and 158" in alone
    for page in (shown, place_words.summary(met), start.violence(met, pages)):
        assert alone in str(page)


def test_counts_across_a_break_of_the_force_are_not_compared(met):
    entry = met.breaks.iloc[[0]].assign(
        series="knife_offences", places=MET, date="2014-04-01", kind="system"
    )
    broken = dataclasses.replace(met, breaks=pd.concat([met.breaks, entry]))
    assert "knife offences rose" in start._other_measures(met)
    assert "knife offences cannot be compared" in start._other_measures(broken)


def test_the_chain_can_be_read_on_a_phone_at_its_width(met, found):
    """At 360 of its 576 points a letter of 12 has 7.5: the least that other charts have."""
    drawn = start_charts.chain(met, found)
    assert 'class="chart small"' in drawn._repr_html_()
    sizes = [float(size) for size in re.findall(rb"font(?:-size)?:[^;\"]*?([\d.]+)px", drawn.svg)]
    assert sizes
    assert min(sizes) >= 12


def test_the_chain_says_why_a_link_that_is_clear_of_zero_is_not_told(met, found):
    assert "clear of zero, but failed its checks of pre-trends and drift" in (
        start_charts.chain(met, found).source
    )
    told = start_charts.chain(met, worded(found, "association", "cannot tell")).source
    assert "clear of zero" not in told


def test_intervals_say_how_many_are_clear_of_zero(found):
    drawn = start_charts.intervals(found)
    assert drawn.title == "1 of 4 intervals is clear of zero: funding → officers"
    words = [evidence.verdict.word for evidence in found.values()]
    assert drawn.data["after_the_checks"].to_list() == words
    wide = {
        name: dataclasses.replace(
            evidence,
            link=dataclasses.replace(
                evidence.link, table=evidence.link.table.assign(ci_low=-np.inf, ci_high=np.inf)
            ),
        )
        for name, evidence in found.items()
    }
    assert start_charts.intervals(wide).title == "None of 4 intervals are clear of zero"


def test_every_claim_is_on_the_first_page_with_its_verdict(checked):
    shown = start.claims_table(checked).frame
    assert list(shown["claim"]) == list(
        ca.load("claims").set_index("id").loc[[*claims.IDS], "claim"]
    )
    assert set(shown["verdict"].str.lower()) <= set(claims.SCALE)


# The map of the series.


def test_the_map_has_every_notebook_numbered_ones_first_and_links_to_its_report(pages):
    assert set(pages["notebook"]) == {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    numbered = [n for n in pages["notebook"] if n[:2].isdigit()]
    assert list(pages["notebook"][: len(numbered)]) == sorted(numbered)
    for row in pages.itertuples():
        assert row.page == f"{make_job(NOTEBOOKS / f'{row.notebook}.ipynb').name}.html"
        assert row.title
        assert row.question
    shown = series.Map(pages, "00-start-here")._repr_html_()
    assert 'href="00-start-here.html"' not in shown
    assert f'href="{pages.iloc[1]["page"]}"' in shown


def test_what_a_notebook_says_of_itself_is_escaped_and_a_broken_one_left_out(tmp_path):
    text = "# <script>x</script>\n\n**Is it <b>safe</b>?**"
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": text},
        {"cell_type": "code", "id": "b", "metadata": {"tags": ["parameters"]}, "source": "n = 1",
         "outputs": [], "execution_count": None},
    ]  # fmt: skip
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "03-odd.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "04-broken.ipynb").write_text("{")
    shown = series.series_map("", tmp_path)
    assert list(shown.frame["notebook"]) == ["03-odd"]
    assert "<script>" not in shown._repr_html_()
    assert "&lt;script&gt;" in shown._repr_html_()


def test_a_notebook_that_is_not_there_is_named_without_a_link(pages):
    assert series.links(pages, ["42-absent"]) == (("42-absent", ""),)
    shown = series.Linked("So.", (), (("42-absent", ""),))._repr_html_()
    assert "42-absent" in shown
    assert "<a" not in shown


def test_the_reports_of_places_are_linked_for_the_place_asked_about(pages):
    ((_, page),) = series.links(pages, ["force-report"], {"force": "Kent", "outcome": "none"})
    assert page == "force-report--kent.html"


def test_commands_are_for_values_that_the_notebook_takes():
    told = str(series.ways("force-report", ("force", "Devon and Cornwall")))
    assert "-p force 'Devon and Cornwall'" in told
    with pytest.raises(UnknownNameError, match="Kent"):
        series.ways("force-report", ("force", "Kemt"))


# The notebooks, for odd places.


@pytest.mark.parametrize(
    ("name", "force"), [("00-start-here", "City of London"), ("01-data", "Dyfed-Powys")]
)
def test_the_pages_hold_for_a_tiny_and_a_welsh_force(shown_by, name, force):
    texts = []
    for value in shown_by(name, force=force):
        page = value if hasattr(value, "_repr_html_") else None
        assert page is not None, value
        page._repr_html_()
        texts.append(str(value) if not hasattr(value, "title") else value.title + value.alt)
    said = " ".join(texts)
    assert force in said
    assert "nan%" not in said
    assert "inf%" not in said
    if force == "City of London":
        assert "too few people live" in said
    else:
        assert "not on hand for Dyfed-Powys Police" in said
