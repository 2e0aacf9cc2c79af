"""`crime-analysis start DIR` writes a folder to work in, from a checkout and from a wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crime_analysis import cli, working_folder
from crime_analysis.errors import ParameterError

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_start_copies_every_notebook_and_says_what_to_do_next(tmp_path, capsys):
    assert cli.main(["start", str(tmp_path / "work")]) == 0
    assert sorted(p.name for p in (tmp_path / "work").iterdir()) == [*NOTEBOOKS, "reports.yml"]
    assert "jupyter lab" in capsys.readouterr().out


def test_a_notebook_that_is_there_is_not_written_over(tmp_path, capsys):
    (tmp_path / NOTEBOOKS[0]).write_text("mine")
    assert cli.main(["start", str(tmp_path)]) == 2
    assert NOTEBOOKS[0] in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == [NOTEBOOKS[0]]
    assert (tmp_path / NOTEBOOKS[0]).read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="give another folder"):
        working_folder.start(tmp_path / "file" / "work", ROOT / "notebooks")


def test_a_wheel_carries_notebooks_and_data_and_starts_a_folder(tmp_path):
    """Installed by unpacking it: nothing of the checkout is on the path."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel without a network")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    # The build leaves out what git ignores, and one of its patterns may be a module's name.
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "crime_analysis").rglob("*.py")}
    assert modules <= {p.relative_to(site).as_posix() for p in site.rglob("*.py")}
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import crime_analysis as ca; "
        "from crime_analysis import cli; assert ca.__file__.startswith(sys.path[0]); "
        "assert len(ca.load('officers')) == 774; sys.exit(cli.main(['start', 'work']))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)
    assert sorted(p.name for p in (tmp_path / "work").iterdir()) == [*NOTEBOOKS, "reports.yml"]
