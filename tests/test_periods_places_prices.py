"""Years, names, prices and breaks: small rules that every figure passes through."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis import breaks, catalog, codebook, periods, places, prices
from crime_analysis.errors import ParameterError, UnknownNameError

# A busy machine is no failure.
unhurried = settings(deadline=None)
years = st.integers(1000, 9998)
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


# Financial years


@unhurried
@given(years)
def test_a_label_gives_back_its_first_year(year):
    assert periods.start(periods.label(year)) == year
    assert codebook_year_matches(periods.label(year))


def codebook_year_matches(label: str) -> bool:
    pattern = next(f.pattern for f in codebook.table("prices").fields if f.name == "financial_year")
    return pd.Series([label]).str.match(pattern).all()


@unhurried
@given(years, st.sampled_from(["/", "-", " / ", " - "]), st.booleans())
def test_every_way_to_write_a_year_is_understood(year, mark, in_full):
    second = f"{year + 1}" if in_full else f"{(year + 1) % 100:02d}"
    assert periods.label(periods.start(f"{year}{mark}{second}")) == periods.label(year)


@unhurried
@given(years, st.integers(0, 9999))
def test_two_years_that_do_not_follow_each_other_are_refused(first, second):
    text = f"{first}/{second:04d}"
    if second == first + 1:
        assert periods.start(text) == first
    else:
        with pytest.raises(ParameterError, match="two consecutive years, '2010/11'"):
            periods.start(text)


@pytest.mark.parametrize(
    "text",
    ["2010", "10/11", "2010/10", "2010/12", "2010/111", "FY2010/11", "2010.11", "", "1999/100"],
)
def test_what_is_no_financial_year_is_refused_in_its_own_words(text):
    with pytest.raises(ParameterError, match="is not a financial year") as refusal:
        periods.start(text)
    assert repr(text) in str(refusal.value)


@unhurried
@given(st.text(max_size=10))
def test_no_other_text_is_taken_for_a_year(text):
    try:
        year = periods.start(text)
    except ParameterError:
        return
    assert str(year) in text.translate({ord(c): str(int(c)) for c in text if c.isdecimal()})


def test_the_year_changes_between_31_march_and_1_april():
    assert periods.label(periods.of_date(date(2010, 3, 31))) == "2009/10"
    assert periods.label(periods.of_date(date(2010, 4, 1))) == "2010/11"
    assert periods.label(periods.of_date(date(2000, 1, 1))) == "1999/00"


@unhurried
@given(days)
def test_every_day_is_in_the_year_that_begins_in_april(day):
    year = periods.of_date(day)
    assert date(year, 4, 1) <= day <= date(year + 1, 3, 31)
    tomorrow = day + timedelta(days=1)
    assert periods.of_date(tomorrow) - year == ((tomorrow.month, tomorrow.day) == (4, 1))
    assert breaks.financial_year(day.isoformat()) == periods.label(year)


@unhurried
@given(years, st.integers(0, 60))
def test_a_span_holds_every_year_once_and_in_order(first, length):
    last = min(first + length, 9998)
    found = periods.span(periods.label(first), periods.label(last))
    assert [periods.start(year) for year in found] == list(range(first, last + 1))


def test_a_span_that_runs_backwards_is_refused_with_both_ends():
    with pytest.raises(ParameterError, match="'2010/11' comes before the first '2012/13'"):
        periods.span("2012/13", "2010/11")
    assert periods.span("2010-11", "2010/2011") == ["2010/11"]


# Forces and boroughs

FORCES = dict.fromkeys(places.FORCES, places.force)
BOROUGHS = dict.fromkeys(places.BOROUGHS, places.borough)
named = st.sampled_from([*FORCES.items(), *BOROUGHS.items()])
notes = st.sampled_from(
    ["", "1", "7,8", "12", " (a)", " (1)", " [r]", " [p, r]", "*", "†", "1 [r]"]
)


@unhurried
@given(named, notes, st.sampled_from([str, str.upper, str.lower, str.title]))
def test_footnotes_case_and_ampersands_do_not_hide_a_name(name_and_finder, note, case):
    name, finder = name_and_finder
    written = case(name) + note
    assert finder(written) == name
    assert finder(written.replace(" and ", " & ").replace(" AND ", " & ")) == name
    assert finder(f"  {written.replace(' ', chr(160))}\n") == name


@pytest.mark.parametrize(
    "body",
    ["Police", "Constabulary", "Police Authority", "Police and Crime Commissioner",
     "Police and Crime Commissioner and Chief Constable"],
)  # fmt: skip
def test_every_force_is_known_by_its_body(body):
    for name in places.FORCES:
        assert places.force(f"{name.removesuffix(' Police')} {body}") == name


@pytest.mark.parametrize(("alias", "name"), places._FORCE_ALIASES.items())
def test_every_listed_spelling_of_a_force_is_known(alias, name):
    assert name in places.FORCES
    assert places.force(alias) == name
    assert places.force(alias.title() + "2") == name


@pytest.mark.parametrize(("alias", "name"), places._BOROUGH_ALIASES.items())
def test_every_listed_spelling_of_a_borough_is_known(alias, name):
    assert name in places.BOROUGHS
    assert places.borough(alias) == name
    assert places.borough(alias.upper()) == name


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        ("Surey", "Surrey"), ("Avon", "Avon and Somerset"), ("Yorkshire", "West Yorkshire"),
        ("Wales", "South Wales"), ("Northampton", "Northamptonshire"),
        ("W Midlands", "West Midlands"),
        ("Metropole", "Metropolitan Police"), ("London", "City of London"),
        ("Northumberland", "Northumbria"),
    ],
)  # fmt: skip
def test_an_unknown_force_offers_the_nearest_and_is_never_guessed(unknown, nearest):
    with pytest.raises(UnknownNameError) as refusal:
        places.force(unknown)
    assert repr(unknown) in str(refusal.value)
    assert nearest in str(refusal.value)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize(
    "text",
    ["", " ", "1", "(a)", "*", "Police", "Constabulary", "England", "England and Wales",
     "E23000001", "British Transport Police", "Action Fraud", "West", "nan", "None", "Hackney",
     "Kent 7", "Kent and Sussex", "Sussex Surrey", "Total"],
)  # fmt: skip
def test_no_force_is_made_of_what_is_none(text):
    with pytest.raises(UnknownNameError):
        places.force(text)


@pytest.mark.parametrize(
    "text", ["", "City of London", "London", "Kent", "Heathrow Airport", "Ham"]
)
def test_no_borough_is_made_of_what_is_none(text):
    with pytest.raises(UnknownNameError):
        places.borough(text)


@unhurried
@given(st.text(max_size=25))
def test_a_text_is_a_force_only_if_it_holds_one_of_its_spellings(text):
    try:
        found = places.force(text)
    except UnknownNameError:
        return
    spellings = [s for s, n in {**places._FORCES_BY_SPELLING}.items() if n == found]
    folded = " ".join(text.replace("&", " and ").split()).casefold()
    assert any(folded.startswith(s) for s in spellings)


@unhurried
@given(st.sampled_from(places.FORCES), st.data())
def test_a_name_with_a_letter_missing_is_not_guessed(name, data):
    at = data.draw(st.integers(0, len(name) - 1))
    short = name[:at] + name[at + 1 :]
    if places._plain(short) in places._FORCES_BY_SPELLING or name[at] == " ":
        return  # "SSurrey" is none, but a space before "Police" may be
    with pytest.raises(UnknownNameError):
        places.force(short)


def test_the_43_forces_and_32_boroughs_are_in_order_and_once_each():
    assert len(places.FORCES) == 43
    assert len(places.BOROUGHS) == 32
    for names in (places.FORCES, places.BOROUGHS):
        assert list(names) == sorted(set(names))
    assert not set(places.FORCES) & set(places.BOROUGHS)
    assert set(places.WELSH_FORCES) < set(places.FORCES)
    assert "City of London" not in places.BOROUGHS


# Prices


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return catalog.load("prices")


price_years = st.sampled_from([periods.label(y) for y in range(1988, 2025)])
amounts = st.lists(
    st.tuples(st.floats(-1e9, 1e9, allow_nan=False), price_years), min_size=1, max_size=8
)


@unhurried
@given(amounts, price_years, price_years, st.sampled_from(prices.INDICES))
def test_real_terms_can_be_turned_back_and_into_any_other_years(money, one, other, index):
    table = catalog_prices()
    values = pd.Series([amount for amount, _ in money])
    fy = pd.Series([year for _, year in money])
    real = prices.to_real(values, fy, one, table, index)
    level = table.set_index("financial_year")[index]
    assert np.allclose(real * fy.map(level) / level[one], values, rtol=1e-12)
    # At one year's prices, then at another's, is the same as at the other's at once.
    twice = prices.to_real(real, pd.Series([one] * len(real)), other, table, index)
    assert np.allclose(twice, prices.to_real(values, fy, other, table, index), rtol=1e-12)
    # In its own year an amount is what it was.
    own = fy == one
    assert (real[own] == values[own]).all()


_PRICES: list[pd.DataFrame] = []


def catalog_prices() -> pd.DataFrame:
    """The shipped prices, read once: hypothesis takes no fixtures."""
    if not _PRICES:
        _PRICES.append(catalog.load("prices"))
    return _PRICES[0]


def test_prices_rose_so_earlier_money_is_worth_more(table):
    real = prices.to_real(
        pd.Series([100.0, 100.0]), pd.Series(["2009/10", "2017/18"]), "2017-18", table
    )
    # ONS YBGB, June 2025: 76.5 in 2009/10 and 87.2 in 2017/18.
    assert real.tolist() == pytest.approx([113.97, 100.0], abs=0.05)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"index": "rpi"}, UnknownNameError, "unknown price index 'rpi'"),
        ({"index": "cpi"}, UnknownNameError, "nearest: cpih"),
        (
            {"base": "2040/41"},
            UnknownNameError,
            "unknown financial year '2040/41' in the table prices",
        ),
        ({"base": "2017"}, ParameterError, "'2017' is not a financial year"),
        ({"base": "2017/19"}, ParameterError, "not a financial year"),
        ({"years": ["2010/11", "1066/67"]}, UnknownNameError, "'1066/67'"),
        ({"years": ["2010/11", "2011-12"]}, UnknownNameError, "nearest: 2011/12"),
    ],
)
def test_what_prices_can_not_know_is_refused_by_name(table, given, error, words):
    fy = pd.Series(given.get("years", ["2010/11", "2011/12"]))
    with pytest.raises(error) as refusal:
        prices.to_real(
            pd.Series([1.0, 2.0]), fy, given.get("base", "2017/18"), table,
            given.get("index", "gdp_deflator"),
        )  # fmt: skip
    assert words in str(refusal.value)


def test_amounts_and_years_from_different_rows_are_not_lined_up_by_chance(table):
    money = pd.Series([1.0, 2.0], index=[1, 0])
    fy = pd.Series(["2009/10", "2017/18"])
    with pytest.raises(ParameterError, match="different indexes"):
        prices.to_real(money, fy, "2017/18", table)
    with pytest.raises(ParameterError, match="different indexes"):
        prices.to_real(money.reset_index(drop=True), fy.iloc[:1], "2017/18", table)


def test_a_missing_amount_stays_missing_and_the_index_is_kept(table):
    money = pd.Series([np.nan, 2.0], index=["a", "b"])
    fy = pd.Series(["2009/10", "2017/18"], index=["a", "b"])
    real = prices.to_real(money, fy, "2017/18", table)
    assert real.index.tolist() == ["a", "b"]
    assert np.isnan(real["a"])


# Breaks


@pytest.fixture(scope="module")
def register() -> pd.DataFrame:
    return catalog.load("breaks")


def test_every_break_names_what_it_touches_and_where_it_is_documented(register):
    for row in register.itertuples():
        assert date.fromisoformat(row.date), row.id
        assert len(row.source) > 10, row.id
        for name in row.places.split(";"):
            assert name == "all" or name in (*places.FORCES, *places.BOROUGHS), row.id
        known = {*codebook.table(row.table).columns}
        for field in ("offence_group", "component"):
            if field in known:
                known |= set(catalog.load(row.table)[field])
        for name in row.series.split(";"):
            assert name == "all" or name in known, (row.id, name)


def test_breaks_are_found_by_series_and_place_in_order_of_date(register):
    found = breaks.affecting(register, "recorded_crime", "knife_offences", "Greater Manchester")
    assert {"knife-greater-manchester", "new-system-greater-manchester"} <= set(found["id"])
    assert not found["id"].str.contains("surrey").any()
    assert found["date"].is_monotonic_increasing
    everywhere = breaks.affecting(register, "recorded_crime", "knife_offences")
    assert "knife-surrey-sussex" in set(everywhere["id"])
    assert set(found["id"]) < set(everywhere["id"])


def test_a_break_of_some_places_is_not_of_others_with_like_names(register):
    rows = register.iloc[[0, 0]].assign(
        id=["a", "b"], table="officers", series="officers_fte", places=["Sussex;Kent", "all"]
    )
    for place, ids in {"Kent": ["a", "b"], "East Sussex": ["b"], "Sussex": ["a", "b"]}.items():
        found = breaks.affecting(rows, "officers", "officers_fte", place)
        assert found["id"].tolist() == ids
    assert breaks.affecting(rows, "officers", "staff_fte").empty
    assert breaks.affecting(rows, "funding", "officers_fte").empty


@pytest.mark.parametrize(
    ("day", "year"),
    [("2014-11-18", "2014/15"), ("2014-01-15", "2013/14"), ("2018-03-31", "2017/18"),
     ("2018-04-01", "2018/19")],
)  # fmt: skip
def test_a_break_falls_in_the_financial_year_of_its_day(day, year):
    assert breaks.financial_year(day) == year


def test_the_breaks_that_no_chart_of_violence_may_lack_are_there(register):
    # Design, figures of record; HMIC 2014; PASC HC 760.
    for series, wanted in {
        "violence_against_the_person": {"recording-inspection", "national-statistics-status"},
        "stalking_and_harassment": {"stalking-subgroup"},
        "knife_offences": {"knife-greater-manchester"},
    }.items():
        found = set(breaks.affecting(register, "recorded_crime", series)["id"])
        assert wanted <= found
    pairs = itertools.pairwise(breaks.REGISTER)
    assert all(len(a) == len(b) for a, b in pairs)
