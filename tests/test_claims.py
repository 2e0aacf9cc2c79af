"""Verdicts follow the figures: with those shipped, with others, with none, and when shuffled."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis import catalog, claims_register, funding, prices
from crime_analysis.errors import DataError, ParameterError, UnknownNameError
from crime_analysis.findings import (
    claims,
    claims_officers,
    claims_verdict,
    claims_violence,
    grant_cut,
    link_evidence,
    strength,
)
from crime_analysis.findings.claims import Claims, check_claims
from crime_analysis.findings.claims_readings import Causal, Reading, compared, keys, rows
from crime_analysis.findings.claims_verdict import (
    HOLDS,
    MISLEADING,
    ONE,
    SCALE,
    UNCHECKED,
    UNSUPPORTED,
)
from crime_analysis.panel import force_panel
from crime_analysis.story import claims as story
from crime_analysis.story.dates import dated

MET = "Metropolitan Police"
load = functools.cache(catalog.load)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def altered(**changes: Change) -> Callable[[str], pd.DataFrame]:
    """The shipped tables, some of them changed."""

    def loaded(name: str) -> pd.DataFrame:
        frame = load(name).copy()
        return changes[name](frame) if name in changes else frame

    return loaded


def scaled(column: str, factor: float, **where: str) -> Change:
    """A table with some figures multiplied."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        hit = pd.Series(True, frame.index)
        for name, value in where.items():
            hit &= frame[name] == value
        assert hit.any()
        return frame.assign(**{column: frame[column].where(~hit, frame[column] * factor)})

    return change


def quoted(measure: str, period: str, value: float) -> Change:
    """The quoted figures with one more."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        row = {**frame.iloc[0], "measure": measure, "period": period, "value": value, "place": MET}
        return pd.concat([frame, pd.DataFrame([row])], ignore_index=True)

    return change


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return force_panel("2007/08", "2018/19")


@pytest.fixture(scope="module")
def causal(panel: pd.DataFrame) -> Causal:
    return claims_violence.causal(panel, link_evidence.every_link(panel, load("breaks")))


@pytest.fixture(scope="module")
def found(causal: Causal) -> Claims:
    return check_claims(load, causal=causal)


def verdict(claim: str, tables: Callable[[str], pd.DataFrame] = load, **options: object) -> str:
    return check_claims(tables, only=claim, **options).verdict(claim)  # type: ignore[arg-type]


def value(found: Claims, claim: str, definition: str, part: str | None = None) -> float:
    mine = found.of(claim)
    mine = mine[mine["definition"] == definition]
    mine = mine if part is None else mine[mine["part"] == part]
    assert len(mine) == 1
    return float(mine["value"].iloc[0])


# The claims themselves


def test_every_claim_of_the_article_has_its_row_and_its_verdict(found):
    assert set(load("claims")["id"]) == set(claims.IDS) == set(found.table.index)
    assert set(found.table["verdict"]) <= set(SCALE)


def test_the_table_is_the_register_and_names_statements_that_there_are():
    register = load("claims")
    assert sorted(row[1] for row in claims_register.REGISTER) == sorted(register["claim"])
    labels = {s for text in register["statements"].dropna() for s in text.split(";")}
    assert labels <= set(load("statements")["claim"])


def test_a_claims_figures_are_read_from_its_row():
    # The article, September 2018: 895 arrests, 1,400 sweeps, 212 knives, nearly 200 weapons.
    assert claims_register.claimed(load("claims"), "taskforce-results") == {
        "arrests": 895, "sweeps": 1400, "knives": 212, "weapons": 200,
    }  # fmt: skip
    assert claims_register.claimed(load("claims"), "knee-jerk") == {}


def test_a_figure_that_is_no_number_is_refused_by_claim_and_column():
    register = pd.DataFrame({"id": ["a"], "figures": ["arrests=many"]})
    with pytest.raises(DataError, match=r"claim a, column figures: 'arrests=many'"):
        claims_register.claimed(register, "a")


# With the figures that are shipped


def test_the_shipped_figures_give_these_verdicts(found):
    assert found.table["verdict"].to_dict() == {
        "officers-moved": UNCHECKED,
        "government-share": MISLEADING,
        "cut-since-2010": ONE,
        "under-30000": UNCHECKED,
        "fewest-in-20-years": UNSUPPORTED,
        "taskforce-results": UNCHECKED,
        "cuts-made-violence-worse": UNCHECKED,
        "cuts-have-consequences": UNCHECKED,
        "violence-sky-high": MISLEADING,
        "knee-jerk": UNSUPPORTED,
    }


def test_the_cut_is_the_core_grants_in_real_terms_like_for_like(found):
    # DESIGN.md, figures of record: a fall of about £718m, 29% of the earlier, 40% of the later.
    alike = "core grant, real terms, like for like"
    assert value(found, "cut-since-2010", alike) == pytest.approx(718, abs=0.5)
    assert found.row("cut-since-2010")["definition"] == alike
    note = found.of("cut-since-2010").set_index("definition")["note"][alike]
    assert "29% of the earlier" in note
    assert "40% of the later" in note
    # HMIC, Value for Money profiles: £2,509.734m of grants in 2009/10, £2,339.942m in 2017/18.
    cash = value(found, "cut-since-2010", "all government grants, cash")
    assert cash == pytest.approx(2509.734 - 2339.942)


def test_the_total_fell_by_as_much_but_not_by_governments_doing(found):
    mine = found.of("cut-since-2010")
    total = mine[mine["definition"] == "grants and council tax together, real terms"]
    assert list(total["agrees"]) == [True, False]
    ways = claims.definitions(mine)
    assert ways.loc["grants and council tax together, real terms", "agrees"] is False


def test_the_cut_agrees_with_the_module_that_takes_it_apart(found):
    own = grant_cut.reconstruction(load("funding"), load("prices"))
    ours = value(found, "cut-since-2010", "core grant, real terms, like for like")
    assert ours == pytest.approx(own.fall_gbp_m)


def test_governments_share_is_seventy_to_eighty_per_cent_by_what_it_is_of(found):
    # DESIGN.md: 70 to 80% under each denominator; London Assembly, 10 October 2017: 70%.
    rows = found.of("government-share")
    all_grants = rows[rows["definition"].str.startswith("all grants over")]
    assert all_grants["value"].between(70, 81).all()
    assert set(rows["definition"]) > set(all_grants["definition"])
    assert found.row("government-share")["definition"] == "all grants over gross spending"


def test_officers_fall_below_the_line_in_mopacs_count_alone(found):
    # INDEX.md: first month under 30,000 is March 2018 (29,924); Home Office, 31 March 2018:
    # 30,390.23.
    mine = found.of("under-30000")
    assert "First month below: 2018-03" in mine["note"].iloc[0]
    assert value(found, "under-30000", "the Home Office's count") == 30390.23
    years = mine[mine["unit"] == "years"].iloc[0]
    # Counts below are known on 31 March 2003 (quoted: 28,231), above from 31 March 2005 (HMIC).
    assert (round(years["value_low"], 1), round(years["value_high"], 1)) == (13.0, 15.0)


def test_fewest_was_said_of_officers_per_head_and_that_cannot_be_followed_so_far(found):
    # DESIGN.md: "lowest for twenty years" was said of officers per 1,000 Londoners, 3.3.
    ways = claims.definitions(found.of("fewest-in-20-years"))
    assert ways.loc["officers, Home Office", "agrees"] is False
    heads = "officers per 1,000 residents, MOPAC"
    assert ways.loc[heads, "agrees"] is None
    assert round(value(found, "fewest-in-20-years", heads), 1) == 3.3


def test_only_the_measure_that_recording_moved_is_sky_high(found):
    # Home Office, recorded crime: 200,864 in 2017/18 and 166,823 in 2004/05.
    ways = claims.definitions(found.of("violence-sky-high"))
    yes = ways[[a is True for a in ways["agrees"]]]
    assert list(yes.index) == ["violence against the person, recorded"]
    assert "recording changed" in yes["caution"].iloc[0]
    rate = (200_864 / 8_817_347) / (166_823 / 7_425_612)
    assert value(found, "violence-sky-high", yes.index[0]) == pytest.approx(rate)


def test_every_figure_names_rows_that_there_are(found):
    absent = found.readings["caution"].str.startswith("no table holds")
    for reading in found.readings[~absent].itertuples():
        assert reading.origin, reading.definition
        for table, named in rows(reading.origin, load).items():
            assert len(named), (reading.definition, table, reading.origin)


def test_a_value_can_be_worked_out_again_from_the_rows_that_it_names(found):
    reading = next(
        r for r in found.readings.itertuples() if r.definition == "all government grants, cash"
    )
    named = rows(reading.origin, load)["funding"].sort_values("financial_year")["value_gbp_m"]
    assert reading.value == pytest.approx(named.iloc[0] - named.iloc[1])


# With other figures


@pytest.mark.parametrize(("base", "expected"), [("2009/10", UNSUPPORTED), ("2018/19", MISLEADING)])
def test_the_verdict_on_the_cut_depends_on_whose_prices(base, expected):
    # At the prices of 2009/10 the same fall is £630m; at those of 2018/19 all grants but those
    # that replaced council tax fell by £653m, which rounds to the claim as well.
    assert verdict("cut-since-2010", price_base=base) == expected


def test_a_larger_earlier_grant_is_not_seven_hundred_million():
    where = {"force": MET, "financial_year": "2009/10", "component": "formula_funding"}
    tables = altered(funding=scaled("value_gbp_m", 1.2, **where))
    assert verdict("cut-since-2010", tables) == UNSUPPORTED


def test_a_smaller_budget_makes_the_share_another():
    # Of £2,900m the grants would be 81%; HMIC's gross figure of the year before still says 73%.
    measure = {"measure": "Met budget (£m)", "period": "2017/18"}
    tables = altered(quoted_figures=scaled("value", 2900 / 3269, **measure))
    assert verdict("government-share", tables) == UNSUPPORTED


def test_the_shares_are_the_fractions_that_the_funding_page_draws(found):
    shares = funding.shares(load("funding"), MET, load("quoted_figures"))
    drawn = funding.latest_shares(shares, "2017/18")
    assert sorted(found.of("government-share")["value"]) == sorted(100 * drawn["share"])
    # Both pages call £650m to £750m near: what would be rounded to £700m.
    cut = found.of("cut-since-2010")
    reach = grant_cut.AMOUNT_TOLERANCE * grant_cut.CLAIMED_GBP_M
    assert set(zip(cut["low"], cut["high"], strict=True)) == {(700 - reach, 700 + reach)}


def test_a_verdict_says_what_cannot_be_tested_and_what_is_near(found):
    because = found.row("knee-jerk")["because"]
    assert "no figure says why a decision was made" in because
    assert "lies 0.2% from the threshold" in because
    close = claims_verdict.near(found.of("knee-jerk"))
    assert (close["away"] < claims_verdict.NEAR).all()
    assert (close["value"] / close["edge"] - 1).abs().to_list() == pytest.approx(
        close["away"].to_list()
    )


def test_a_range_of_years_agrees_only_if_all_of_it_does(found):
    mine = found.of("under-30000").set_index("part")
    years = mine.loc["years since a count below"]
    assert (round(years["value_low"], 1), round(years["value_high"], 1)) == (13.0, 15.0)
    assert (years["low"], years["high"]) == (14.5, 15.5)
    assert years["agrees"] is None
    assert "either side of what was claimed" in found.row("under-30000")["because"]
    for least, most, answer in ((14.5, 15.4, True), (10, 14, False), (15.5, 20, False)):
        assert strength.years_agree(least, most, 15) is answer
    assert strength.years_agree(14.4, 15.0, 15) is None
    assert strength.years_agree(14.6, np.nan, 15) is None


def test_the_line_holds_for_the_count_that_is_below_it_even_where_the_years_are_open():
    where = {"force": MET, "date": "2018-03-31"}
    # The years since a count below stay a range on either side of 14.5: the plain reading is open.
    assert verdict("under-30000", altered(officers=scaled("officers_fte", 0.98, **where))) == ONE


def test_the_line_is_not_supported_if_neither_count_is_below_it():
    above = altered(met_strength_monthly=scaled("officers_fte", 1.05))
    assert verdict("under-30000", above) == UNSUPPORTED


def test_an_earlier_month_below_the_line_is_not_the_first_in_fifteen_years():
    below = altered(met_strength_monthly=scaled("officers_fte", 0.9, month="2014-01"))
    assert verdict("under-30000", below) == UNSUPPORTED


def test_without_the_old_counts_nothing_can_be_said_of_twenty_years():
    none = altered(quoted_figures=lambda f: f[f["measure"] != "police_officers_fte"])
    assert verdict("fewest-in-20-years", none) == UNCHECKED


def test_with_counts_for_twenty_years_that_were_all_higher_the_claim_holds():
    def older(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame[frame["measure"] != "police_officers_fte"]
        for year in range(1998, 2005):
            frame = quoted("police_officers_fte", f"{year}-03-31", 33_000.0)(frame)
        return frame

    assert verdict("fewest-in-20-years", altered(quoted_figures=older)) == HOLDS


@pytest.mark.parametrize(("count", "expected"), [(121.0, HOLDS), (60.0, UNSUPPORTED)])
def test_a_count_of_officers_moved_would_settle_that_claim(count, expected):
    measure = "Violent Crime Taskforce: officers moved to it"
    tables = altered(quoted_figures=quoted(measure, "2018-09", count))
    assert verdict("officers-moved", tables) == expected


def test_one_wrong_count_of_the_taskforce_is_enough_and_one_right_one_is_not():
    def with_knives(count: float) -> Callable[[str], pd.DataFrame]:
        measure = "Violent Crime Taskforce: knives"
        return altered(quoted_figures=quoted(measure, "2018-04 to 2018-09", count))

    assert verdict("taskforce-results", with_knives(90.0)) == UNSUPPORTED
    assert verdict("taskforce-results", with_knives(212.0)) == UNCHECKED


def test_without_the_change_in_recording_sky_high_holds_under_one_definition():
    unbroken = altered(breaks=lambda f: f[f["id"] != "recording-inspection"])
    assert verdict("violence-sky-high", unbroken) == ONE


def test_half_the_recorded_violence_is_not_sky_high():
    where = {"force": MET, "financial_year": "2017/18"}
    assert (
        verdict("violence-sky-high", altered(recorded_crime=scaled("offences", 0.5, **where)))
        == UNSUPPORTED
    )


def test_fewer_years_let_more_measures_speak():
    ten = claims.definitions(check_claims(load, only="violence-sky-high").of("violence-sky-high"))
    five = check_claims(load, only="violence-sky-high", least_years=5).of("violence-sky-high")
    name = "hospital admissions for assault by sharp object"
    assert ten.loc[name, "agrees"] is None
    assert claims.definitions(five).loc[name, "agrees"] is True


def test_a_summer_that_did_stand_out_leaves_only_the_motive_unknown():
    def hot(frame: pd.DataFrame) -> pd.DataFrame:
        column = "violence_with_injury"
        hit = frame["month"].isin(["2018-06", "2018-07", "2018-08"])
        return frame.assign(**{column: frame[column].where(~hit, frame[column] * 1.5)})

    changed = check_claims(altered(borough_crime_monthly=hot), only="knee-jerk")
    assert changed.verdict("knee-jerk") == UNCHECKED
    assert "why a decision" in changed.row("knee-jerk")["because"]


# Causes


def told(causal: Causal, **words: tuple[str, float]) -> Causal:
    """What the chain says, with other words and estimates."""
    table = causal.table.copy()
    for link, (word, estimate) in words.items():
        table.loc[link, ["word", "estimate"]] = [word, estimate]
    return replace(causal, table=table)


def test_an_interval_that_holds_zero_tells_nothing_of_a_cause(found, causal):
    assert (causal.table.drop(index="officers")["word"] == "cannot tell").all()
    assert "holds zero" in found.row("cuts-made-violence-worse")["because"]


def test_money_and_officers_read_here_as_on_their_own_page(found, causal, panel):
    own = link_evidence.funding_evidence(panel, "2009/10", "2017/18")
    row = causal.table.loc["officers"]
    assert row["word"] == own.verdict.word
    failed = [result.name for result in own.results if result.passed is False]
    assert failed
    assert row["reasons"] == f"checks failed: {', '.join(failed)}"
    assert row["reasons"] in found.row("cuts-have-consequences")["because"]


def test_the_readme_says_what_the_checks_leave_of_the_links_that_it_shows(causal):
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    told = "Put through its checks, each of these links reads “cannot tell”."
    assert (set(causal.table["word"]) == {"cannot tell"}) == (told in readme)


def test_an_association_of_money_and_officers_is_not_called_an_effect(causal):
    changed = told(causal, officers=("association", 1.0))
    row = check_claims(load, only="cuts-have-consequences", causal=changed).row(
        "cuts-have-consequences"
    )
    assert row["verdict"] == MISLEADING
    assert "association" in row["because"]


def test_an_effect_on_officers_alone_holds_under_one_definition(causal):
    changed = told(causal, officers=("effect", 1.0))
    assert verdict("cuts-have-consequences", causal=changed) == ONE


def test_effects_all_the_way_hold(causal):
    changed = told(causal, officers=("effect", 1.0), violence_with_injury=("effect", -0.5))
    assert verdict("cuts-have-consequences", causal=changed) == HOLDS
    # Of youth services there is still no figure.
    assert verdict("cuts-made-violence-worse", causal=changed) == UNCHECKED


def test_more_officers_with_more_violence_contradict_the_claim(causal):
    changed = told(causal, violence_with_injury=("association", 0.5))
    assert verdict("cuts-made-violence-worse", causal=changed) == UNSUPPORTED


def test_no_money_no_officers_no_consequence_that_can_be_told(causal):
    changed = told(causal, officers=("cannot tell", 0.1))
    assert verdict("cuts-have-consequences", causal=changed) == UNCHECKED


def test_shuffled_forces_leave_no_cause_to_speak_of(panel):
    rng = np.random.default_rng(2018)
    mixed = panel.copy()
    for columns in (
        ["log_officers_end"],
        ["log_violence_with_injury_per_1000", "log_robbery_per_1000", "homicide"],
    ):
        mixed[columns] = mixed[columns].to_numpy()[rng.permutation(len(mixed))]
    shuffled = claims_violence.causal(mixed, link_evidence.every_link(mixed, load("breaks")))
    assert not (shuffled.table["word"] == "effect").any()
    for claim in ("cuts-made-violence-worse", "cuts-have-consequences"):
        found = check_claims(load, only=claim, causal=shuffled)
        assert found.verdict(claim) in (UNCHECKED, UNSUPPORTED)
        assert re.search("cannot tell|do not support", str(story.learnt(found)))


# The rule


def reading(
    definition: str, agrees: bool | None, *, role: str = "rival", caution: str = "", part: str = "x"
) -> Reading:
    figure = np.nan if agrees is None else 1.0
    return Reading(definition, role, part, figure, "count", agrees=agrees, caution=caution)


T, F, N = True, False, None


@pytest.mark.parametrize(
    ("own", "rivals", "expected"),
    [
        (T, [], HOLDS),
        (T, [T, N], HOLDS),
        (T, [F], ONE),
        (F, [T, F], ONE),
        (N, [T], ONE),
        (F, [T, T], MISLEADING),
        (F, [F, N], UNSUPPORTED),
        (F, [N], UNSUPPORTED),
        (N, [F], UNCHECKED),
        (N, [N], UNCHECKED),
    ],
)
def test_the_rule(own, rivals, expected):
    ways = [reading("own", own, role="own")]
    ways += [reading(f"rival {i}", answer) for i, answer in enumerate(rivals)]
    assert claims_verdict.judge(claims_verdict.frame(ways))["verdict"] == expected


def test_an_agreement_with_a_caution_misleads_and_says_why():
    ways = [reading("own", T, role="own", caution="prices rose"), reading("rival", F)]
    told = claims_verdict.judge(claims_verdict.frame(ways))
    assert told["verdict"] == MISLEADING
    assert "prices rose" in told["because"]


def test_what_is_shown_beside_never_counts():
    ways = [reading("own", T, role="own"), reading("beside", F, role="beside")]
    assert claims_verdict.judge(claims_verdict.frame(ways))["verdict"] == HOLDS


def test_a_definition_agrees_only_if_all_its_parts_do():
    for second, expected in ((T, T), (F, F), (N, N)):
        parts = [reading("own", T, role="own"), reading("own", second, role="own", part="y")]
        assert claims.definitions(claims_verdict.frame(parts)).loc["own", "agrees"] is expected


answers = st.sampled_from([True, False, None])


@settings(deadline=None, derandomize=True, max_examples=60)
@given(own=answers, rivals=st.lists(answers, max_size=5), order=st.randoms(use_true_random=False))
def test_the_order_of_definitions_does_not_matter(own, rivals, order):
    ways = [reading("own", own, role="own")]
    ways += [reading(f"rival {i}", answer) for i, answer in enumerate(rivals)]
    first = claims_verdict.judge(claims_verdict.frame(ways))["verdict"]
    order.shuffle(ways)
    assert claims_verdict.judge(claims_verdict.frame(ways))["verdict"] == first
    assert first in SCALE
    # What holds, is contradicted nowhere; what is not supported, nowhere agrees.
    assert not (first == HOLDS and False in [own, *rivals])
    assert not (first == UNSUPPORTED and True in [own, *rivals])


def test_a_band_takes_its_lower_end_and_not_its_upper():
    ends = [compared("d", "own", "p", x, "count", (65, 75)).agrees for x in (65, 75, np.nan)]
    assert ends == [True, False, None]


def test_rows_are_named_by_lists_and_spans_of_keys():
    held = {"t": pd.DataFrame({"month": ["2018-01", "2018-02", "2018-03"]})}
    spans = {"2018-02..": 2, "..2018-02": 2, "2018-01|2018-03": 2, "2018-01..2018-03": 3, "x": 0}
    for span, count in spans.items():
        assert len(rows(keys("t", month=span), held.__getitem__)["t"]) == count


# Missing data and bad input


def test_what_is_missing_cannot_be_tested_and_is_never_divided_by():
    gone = altered(
        funding=lambda f: f[f["financial_year"] != "2017/18"],
        quoted_figures=lambda f: f[f["measure"] != "Met budget (£m)"],
        met_strength_monthly=lambda f: f[f["month"] < "2018-03"],
        population=lambda f: f[f["place"] != MET],
        hospital_admissions=lambda f: f[f["region"] != "London"],
        borough_crime_monthly=lambda f: f[f["month"] != "2018-07"],
    )
    assert verdict("cut-since-2010", gone) == UNCHECKED
    # The months that are left end before the article.
    assert verdict("under-30000", gone) == UNCHECKED
    assert verdict("knee-jerk", gone) == UNCHECKED
    assert verdict("violence-sky-high", gone) in (UNCHECKED, UNSUPPORTED)
    for claim in ("cut-since-2010", "government-share", "fewest-in-20-years", "violence-sky-high"):
        found = check_claims(gone, only=claim)
        shown = f"{story.sentence(found, claim)}{story.figures(found, claim)._repr_html_()}"
        assert "nan" not in shown.lower().replace("finance", "").replace("financial", "")


def test_unknown_names_are_refused_with_the_nearest(found):
    for call in (
        lambda: check_claims(load, only="under-3000"),
        lambda: found.verdict("under-3000"),
        lambda: claims.told(found, "under-3000"),
        lambda: story.sentence(found, "under-3000"),
    ):
        with pytest.raises(UnknownNameError, match="nearest: under-30000"):
            call()
    with pytest.raises(UnknownNameError, match="nearest: 2017/18"):
        check_claims(load, price_base="2017-18")
    with pytest.raises(UnknownNameError, match="gdp_deflator"):
        check_claims(load, price_index="gdp")
    with pytest.raises(ParameterError, match="least_years is 0"):
        check_claims(load, least_years=0)


# What people see


def test_the_terminal_lists_every_claim_and_of_one_every_figure(found):
    text = claims.told(found)
    assert all(f"{claim}: {row.verdict}" in text for claim, row in found.table.iterrows())
    assert found.text == text
    one = claims.told(found, "cut-since-2010")
    assert one.count("prices[") == found.of("cut-since-2010")["origin"].str.contains("prices").sum()
    for words in (
        "£718m",
        "agrees if £650m to £750m",
        "needed:",
        "funding[force=Metropolitan Police",
    ):
        assert words in one


def test_sentences_carry_the_verdict_its_figure_and_its_rival(found):
    for claim, row in found.table.iterrows():
        text = str(story.sentence(found, claim))
        for words in (row["claim"], row["verdict"], row["figure"], row["rival_figure"]):
            assert dated(words) in text


def test_the_conclusion_begins_with_what_cannot_be_told(found):
    text = str(story.learnt(found))
    assert text.startswith("These data cannot tell")
    assert all(claim in text for claim in found.table["claim"])


def test_the_opening_counts_what_the_table_holds(found):
    unchecked = (found.table["verdict"] == UNCHECKED).sum()
    assert f"{unchecked} cannot be checked" in str(story.opening(found))
    assert sum(story.numbers(found).values()) == len(found.table)


def test_strips_say_in_words_what_they_show(found):
    for claim in claims.IDS:
        drawn = story.strip(found, claim)
        if not hasattr(drawn, "alt"):
            assert found.verdict(claim) == UNCHECKED
            continue
        assert found.row(claim)["claim"] in drawn.alt
        assert drawn.title.lower().startswith(found.verdict(claim))
        assert "Source:" in drawn.source
        assert len(drawn.data)


def test_a_strips_title_follows_the_figures():
    before = story.strip(check_claims(load, only="cut-since-2010"), "cut-since-2010").title
    other = check_claims(load, only="cut-since-2010", price_base="2009/10")
    assert "£718m" in before
    after = story.strip(other, "cut-since-2010")
    assert after.title.startswith("Not supported")
    assert b"2009/10 prices" in after.svg


@pytest.mark.parametrize("per_head", [False, True])
def test_counts_of_officers_are_drawn_apart(found, per_head):
    drawn = story.officers(found, per_head=per_head, load=load)
    assert set(drawn.data["count"]) == set(claims_officers.counts(load)["count"])
    assert ("The dashed line is 30,000" in drawn.alt) is not per_head


def test_the_notebook_offers_what_the_fact_check_takes():
    path = Path(__file__).parents[1] / "notebooks" / "09-claims.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    told = notebook["metadata"]["crime_analysis"]["parameters"]
    assert set(told["price_base"]["choices"]) <= set(load("prices")["financial_year"])
    assert tuple(told["price_index"]["choices"]) == prices.INDICES
    cells = "".join("".join(cell["source"]) for cell in notebook["cells"])
    assert all(f'"{claim}"' in cells for claim in claims.IDS)


def test_the_threshold_stands_beside_the_figure_that_a_verdict_rests_on(found):
    assert "£718m (agrees if £650m to £750m)" in str(story.sentence(found, "cut-since-2010"))
    table = story.verdicts(found).frame.set_index("claim")
    assert table["by_this_definition"].str.contains("agrees if").all()


def test_a_figure_that_only_just_misses_its_threshold_is_named(found):
    told = str(story.sentence(found, "knee-jerk"))
    assert "Near things: “violence with injury, recorded” (0.998 times the highest before)" in told
    assert "“homicide”" not in told.partition("Near things")[2]
    assert "near thing" not in str(story.sentence(found, "officers-moved")).lower()


def test_a_part_that_agrees_where_its_definition_does_not_is_drawn_apart(found):
    for claim in ("cut-since-2010", "knee-jerk"):
        chart = story.strip(found, claim)
        assert "agrees, the rest of its definition does not" in chart.alt
        assert "Open circle" in chart.source
    assert "Open circle" not in story.strip(found, "government-share").source
