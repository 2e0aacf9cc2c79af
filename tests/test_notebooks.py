"""Notebooks hold narrative and calls; they are committed clean and run in ordinary tools."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from crime_analysis import catalog, places
from crime_analysis.links import OUTCOMES

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def cells(path, kind):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_are_committed_without_outputs(path):
    for cell in cells(path, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_hold_no_logic(path):
    forbidden = (
        ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.If, ast.Lambda, ast.ListComp,
        ast.SetComp, ast.GeneratorExp, ast.Try, ast.With,
    )  # fmt: skip
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse(source(cell))):
            assert not isinstance(node, forbidden), source(cell)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_no_statistic_is_typed_into_the_text(path):
    for cell in cells(path, "markdown"):
        text = re.sub(r"\b(19|20)\d\d(/\d\d|-\d\d)?\b", "", source(cell))  # years are names
        text = re.sub(r"\bLink \d\b", "", text)
        assert not re.search(r"\d", text), text


def test_the_chain_offers_every_force_outcome_and_year_that_it_can_use():
    path = next(p for p in NOTEBOOKS if p.name == "07-the-chain.ipynb")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    told = notebook["metadata"]["crime_analysis"]["parameters"]
    assert told["force"]["choices"] == list(places.FORCES)
    assert told["outcome"]["choices"] == list(OUTCOMES)
    money = catalog.load("funding").query("series == 'hmic_estimates'")
    assert told["start"]["choices"] == sorted(money["financial_year"].unique())
    assert set(told["price_base"]["choices"]) <= set(catalog.load("prices")["financial_year"])


@pytest.mark.parametrize("force", ["City of London", "Dyfed-Powys"])
def test_a_force_report_runs_with_plain_papermill_for_a_tiny_and_a_welsh_force(tmp_path, force):
    """City of London has too few residents for rates; Wales has no revenue outturn."""
    import subprocess

    path = next(p for p in NOTEBOOKS if p.name == "force-report.ipynb")
    done = tmp_path / "done.ipynb"
    program = (
        "import papermill, sys\n"
        "papermill.execute_notebook(sys.argv[1], sys.argv[2], {'force': sys.argv[3]},"
        " kernel_name='python3', progress_bar=False)"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(path), str(done), force],
        check=True, capture_output=True,
    )  # fmt: skip
    text = done.read_text(encoding="utf-8")
    assert force in text
    shown = "".join(
        "".join(output.get("data", {}).get("text/html", []))
        for cell in cells(done, "code")
        for output in cell["outputs"]
    )
    assert shown.count("<figure") == (4 if force == "City of London" else 6)
    assert ("too few residents" in shown) == (force == "City of London")
    assert "nan%" not in shown
