"""The two reports on paper: two to four pages, with the place in the heading."""

import shutil
import subprocess
from pathlib import Path

import pytest

import crime_analysis as ca

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
# The longest registers of breaks, a rural force, a Welsh one, one too small for rates.
PLACES = {
    "force": ("Metropolitan Police", "Greater Manchester", "Lincolnshire", "Dyfed-Powys",
              "City of London"),
    "borough": ("Westminster", "Barking and Dagenham"),
}  # fmt: skip
REPORTS = [(kind, place) for kind, places in PLACES.items() for place in places]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler-utils is not installed"),
]


@pytest.fixture(scope="module")
def printed(tmp_path_factory, browser):
    """The reports of these places, rendered and printed by two batches."""
    out = tmp_path_factory.mktemp("printed")
    for kind, names in PLACES.items():
        ca.render(NOTEBOOKS / f"{kind}-report.ipynb", over={kind: list(names)}, out=out, pdf=True)
    return out


def pages_of(printed, kind, place):
    pdf = printed / f"{kind}-report--{place.lower().replace(' ', '-')}.pdf"
    run = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
    return run.stdout.decode().rstrip("\f").split("\f")


@pytest.mark.parametrize(("kind", "place"), REPORTS)
def test_a_report_prints_on_two_to_four_pages(printed, kind, place):
    pages = pages_of(printed, kind, place)
    assert 2 <= len(pages) <= 4
    # None of them is all but blank.
    assert min(len(page.split()) for page in pages) > 80


@pytest.mark.parametrize(("kind", "place"), REPORTS)
def test_the_first_page_names_the_place_and_holds_the_summary(printed, kind, place):
    first = pages_of(printed, kind, place)[0]
    assert first.split("\n", 1)[0].strip() == place
    assert "In short" in first
    assert "At a glance" in first
