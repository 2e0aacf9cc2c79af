"""What a person at a terminal meets: one clear line, the right exit code, nothing half-written."""

import json
import shutil
from pathlib import Path

import pytest

from crime_analysis import catalog, cli

ROOT = Path(__file__).parents[1]
CHAIN = str(ROOT / "notebooks" / "07-the-chain.ipynb")


def run(capsys, *arguments):
    code = cli.main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("force", "Metropolitan Polise"), "Metropolitan Police"),
        (("outcome", "robery"), "robbery"),
        (("start", "2009/11"), "2009/10"),
        (("price_base", "2070/71"), "2017/18"),
        (("forse", "Surrey"), "force"),
    ],
)
def test_unknown_values_and_parameters_get_one_line_with_the_nearest(tmp_path, capsys, given, said):
    code, out, err = run(capsys, "render", CHAIN, "-p", *given, "--out", str(tmp_path / "out"))
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    if given[0] != "price_base":
        assert said in err
    assert not (tmp_path / "out").exists()


def test_a_start_after_its_end_is_refused_before_anything_runs(tmp_path, capsys):
    code, _, err = run(
        capsys, "render", CHAIN, "-p", "start", "2017/18", "-p", "end", "2009/10",
        "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert code == 2
    assert "start" in err
    assert "end" in err
    assert not (tmp_path / "out").exists()


def test_a_parameter_given_twice_is_refused(tmp_path, capsys):
    code, _, err = run(capsys, "render", CHAIN, "-p", "force", "Kent", "-p", "force", "Surrey")
    assert code == 2
    assert "twice" in err


def test_an_unknown_notebook_is_refused_with_those_there_are(capsys):
    code, _, err = run(capsys, "render", "07-the-chian.ipynb")
    assert code == 2
    assert "07-the-chain.ipynb" in err


def test_parameters_lists_names_defaults_help_and_choices(capsys):
    code, out, _ = run(capsys, "parameters", CHAIN)
    assert code == 0
    assert "force = 'Metropolitan Police'" in out
    assert "Dyfed-Powys" in out
    assert "outcome = 'violence_with_injury'" in out


def test_data_commands_list_show_and_verify(capsys):
    code, out, _ = run(capsys, "data", "list")
    assert code == 0
    assert "recorded_crime" in out
    code, out, _ = run(capsys, "data", "show", "officers")
    assert code == 0
    assert "full-time equivalents" in out
    assert "Home Office" in out
    code, out, _ = run(capsys, "data", "verify")
    assert code == 0
    assert len(out.splitlines()) == len(catalog.package()["resources"])


def test_an_altered_table_stops_the_command_and_names_the_mend(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "data"
    shutil.copytree(catalog.data_folder(), folder)
    table = folder / "officers.csv"
    table.write_text(table.read_text().replace("33366.55", "33666.55"))
    monkeypatch.setenv("CRIME_ANALYSIS_DATA", str(folder))
    code, _, err = run(capsys, "data", "verify")
    assert code == 2
    assert "officers.csv was altered" in err
    assert "crime-analysis data build" in err
    (folder / "prices.csv").unlink()
    code, _, err = run(capsys, "data", "show", "prices")
    assert code == 2
    assert "prices.csv is missing" in err


def test_a_folder_without_publications_builds_nothing(tmp_path, capsys):
    code, _, err = run(
        capsys, "data", "build", "--raw", str(tmp_path), "--out", str(tmp_path / "d")
    )
    assert code == 2
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "d").exists()
    code, _, err = run(capsys, "data", "build", "--raw", str(tmp_path / "nowhere"))
    assert code == 2
    assert "is not a folder" in err


def test_a_build_says_what_it_recognised_ignored_rebuilt_and_kept(tmp_path, capsys):
    raw = tmp_path / "downloads"
    raw.mkdir()
    strength = (ROOT / "tests" / "cuts" / "met_strength.csv").read_text(encoding="utf-8")
    last = strength.splitlines()[-1]
    later = strength + last.replace("Mar-26", "Apr-26") + "\n"
    (raw / "strength.csv").write_text(later, encoding="utf-8")
    (raw / "notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    out = tmp_path / "data"
    code, said, err = run(capsys, "data", "build", "--raw", str(raw), "--out", str(out))
    assert (code, err) == (0, "")
    assert said.splitlines()[:3] == [
        "recognised strength.csv: Mayor's Office for Policing and Crime (London Datastore), Police"
        " Force Strength (to 2026-04; the file prints no edition)",
        "ignored notes.csv: no publication begins with 'a', 'b'",
        "rebuilt met_strength_monthly: 1 rows added, 0 changed, 0 removed",
    ]
    assert "kept, as nothing in the folder feeds them: officers, " in said
    assert said.splitlines()[-1].endswith(f"rows, to {out}")


def test_a_folder_that_suffices_for_no_table_says_what_to_add_on_one_line(tmp_path, capsys):
    shutil.copy(ROOT / "tests" / "cuts" / "population.csv", tmp_path)
    out = tmp_path / "data"
    code, _, err = run(capsys, "data", "build", "--raw", str(tmp_path), "--out", str(out))
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "population: it also needs" in err
    assert not out.exists()


def test_no_command_prints_help_and_fails(capsys):
    code, out, _ = run(capsys)
    assert code == 2
    assert "render" in out


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The README's other force, rendered once through the command."""
    out = tmp_path_factory.mktemp("reports")
    arguments = ["render", CHAIN, "-p", "force", "West Yorkshire", "--out", str(out)]
    assert cli.main(arguments) == 0
    return out


def test_a_rendered_force_leaves_report_notebook_manifest_and_index(rendered):
    names = sorted(path.name for path in rendered.iterdir())
    assert names == [
        "07-the-chain--west-yorkshire.html",
        "07-the-chain--west-yorkshire.ipynb",
        "07-the-chain--west-yorkshire.manifest.json",
        "index.html",
        "summary.json",
    ]


def test_the_report_is_one_file_with_alt_text_folded_code_and_no_requests(rendered):
    page = (rendered / "07-the-chain--west-yorkshire.html").read_text(encoding="utf-8")
    declared = json.loads(Path(CHAIN).read_text())["metadata"]["crime_analysis"]["yields"]
    assert page.count('<figure class="chart"') >= declared["figures"]
    assert page.count("<img alt=") == page.count("<img ")
    assert 'alt=""' not in page
    assert 'src="http' not in page
    assert "<link" not in page
    assert '<details class="code"' in page
    assert "West Yorkshire Police" in page


def test_the_manifest_records_the_three_lines(rendered):
    manifest = json.loads((rendered / "07-the-chain--west-yorkshire.manifest.json").read_text())
    lines = manifest["records"]["lines"]
    assert [line.split(":")[0] for line in lines] == [
        "funding → officers",
        "officers → violence with injury",
        "funding → officers → violence with injury, West Yorkshire",
    ]
    assert all("[" in line and "]" in line for line in lines)


def test_a_cell_that_fails_is_kept_marked_and_exits_one(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "data"
    shutil.copytree(catalog.data_folder(), folder)
    (folder / "officers.csv").write_text("nothing\n")
    monkeypatch.setenv("CRIME_ANALYSIS_DATA", str(folder))
    out = tmp_path / "out"
    code, _, err = run(capsys, "render", CHAIN, "-p", "force", "Kent", "--out", str(out))
    assert code == 1
    assert "officers.csv" in err
    assert [p.name for p in out.glob("*.ipynb")] == ["07-the-chain--kent.failed.ipynb"]
    assert [p.name for p in out.glob("*.html")] == ["index.html"]
