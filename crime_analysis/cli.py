"""The command ``crime-analysis``: build and check the figures, render reports.

Exits 0 when all was done, 2 for bad input (nothing was written), 1 for work that failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from crime_analysis import __version__
from crime_analysis.errors import CrimeAnalysisError, ParameterError

__all__ = ["main", "notebooks_folder"]


def notebooks_folder() -> Path:
    """Return the folder of notebooks: inside the installed package, or beside it."""
    here = Path(__file__).resolve().parent
    inside = here / "notebooks"
    return inside if inside.is_dir() else here.parent / "notebooks"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Examples
    --------
    >>> main(["data", "list"])  # doctest: +ELLIPSIS
    officers ...
    0
    """
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    if rest and not getattr(options, "takes_keys", False):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    if not hasattr(options, "run"):
        parser.print_help()
        return 2
    try:
        return int(options.run(options) or 0)
    except CrimeAnalysisError as problem:
        print(f"crime-analysis: {problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt as stopped:
        print(": ".join(["crime-analysis: interrupted", *map(str, stopped.args)]), file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of a pipe has left; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def command() -> NoReturn:
    """Run `main` as a program: a stop signal, or a closed terminal, is an interruption."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # What is ignored stays so: that is what nohup asks for.
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)
    sys.exit(main())


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="crime-analysis", description=__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    report = commands.add_parser("report", help="render the package's own set of reports")
    report.add_argument("--out", default="reports", help="folder to write (default: reports)")
    report.set_defaults(run=_report)

    render = commands.add_parser("render", help="render a notebook, or a set, with parameters")
    render.add_argument("target", metavar="NOTEBOOK|SET", help="a notebook, or a set (.yml)")
    render.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="set a parameter; may be repeated",
    )  # fmt: skip
    render.add_argument(
        "--over", action="append", default=[], metavar="NAME=all|V1,V2",
        help="one report for each value, and for each combination if repeated",
    )  # fmt: skip
    render.add_argument("--out", default="reports", help="folder to write (default: reports)")
    render.add_argument("--jobs", type=int, help="reports at a time (default: one a processor)")
    render.add_argument("--scheduler", metavar="ADDRESS", help="render on this Dask cluster")
    render.add_argument("--force", action="store_true", help="render what is up to date, too")
    render.add_argument(
        "--fail-fast", action="store_true",
        help="after a failure begin no further report; those under way are finished",
    )  # fmt: skip
    render.add_argument(
        "--timeout", type=float, default=600, metavar="S",
        help="seconds that a cell may take (default: 600)",
    )  # fmt: skip
    render.add_argument(
        "--memory", type=float, default=4, metavar="GB",
        help="memory that a notebook may take (default: 4)",
    )  # fmt: skip
    render.add_argument("--cold", action="store_true", help="start every kernel from nothing")
    render.add_argument("--pdf", action="store_true", help="print each report to a PDF, too")
    render.set_defaults(run=_render)

    parameters = commands.add_parser("parameters", help="list a notebook's parameters")
    parameters.add_argument("notebook")
    parameters.set_defaults(run=_parameters)

    verify = commands.add_parser("verify", help="check that rendered reports were not altered")
    verify.add_argument("folder", nargs="?", default="reports", help="folder (default: reports)")
    verify.add_argument(
        "--rerun", action="store_true", help="render again elsewhere and compare every number"
    )
    verify.set_defaults(run=_verify)

    claims = commands.add_parser("claims", help="check the article's claims against the figures")
    claims.add_argument("claim", nargs="?", metavar="ID", help="one claim, with every figure")
    claims.set_defaults(run=_claims)

    taught = commands.add_parser("course", help="write the course's notebooks and syllabus")
    taught.add_argument("--edition", choices=("student", "instructor"), required=True)
    taught.add_argument("--out", required=True, metavar="DIR", help="a new or empty folder")
    taught.add_argument("--html", action="store_true", help="execute them into pages, too")
    taught.set_defaults(run=_course)

    begin = commands.add_parser("start", help="write the notebooks into a folder to work in")
    begin.add_argument("folder", metavar="DIR")
    begin.set_defaults(run=_start)

    data = commands.add_parser("data", help="the shipped tables").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    data.add_parser("list", help="list the tables").set_defaults(run=_data_list)
    show = data.add_parser("show", help="describe a table and print its first rows")
    show.add_argument("table")
    show.set_defaults(run=_data_show)
    data.add_parser("verify", help="check every table's hash, columns and keys").set_defaults(
        run=_data_verify
    )
    trace = data.add_parser(
        "trace",
        help="say where a figure came from: trace TABLE --KEY VALUE ... [--field NAME]",
        description="Name the row by its keys: trace officers --force Kent --date 2018-03-31",
    )
    trace.add_argument("table")
    trace.add_argument("--field", help="which column (default: the first that holds figures)")
    trace.add_argument("--raw", help="folder of official files: work the figure out again")
    trace.set_defaults(run=_data_trace, takes_keys=True)
    data.add_parser(
        "revisions", help="list figures that two editions print differently"
    ).set_defaults(run=_data_revisions)
    cross = data.add_parser(
        "crosscheck",
        help="compare what two publishers say of the same thing",
        description="Exits 1 if two publications differ by more than is declared.",
    )
    cross.add_argument("--all", action="store_true", help="print every pair of figures")
    cross.set_defaults(run=_data_crosscheck)
    build = data.add_parser("build", help="rebuild what official files feed; keep the rest")
    build.add_argument("--raw", required=True, help="folder with the downloaded publications")
    build.add_argument("--out", help="folder to write (default: the package's data)")
    build.set_defaults(run=_data_build)
    return parser


def _notebook(name: str) -> Path:
    """Return a notebook, or a set, given by path or by name among the package's own."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = notebooks_folder() / path.name
    if not path.parent.name or path.parent == Path("notebooks"):
        for candidate in (shipped, shipped.with_name(f"{path.name}.ipynb")):
            if candidate.is_file():
                return candidate
    files = [p.name for ending in ("ipynb", "yml") for p in notebooks_folder().glob(f"*.{ending}")]
    known = ", ".join(sorted(files))
    raise ParameterError(f"there is no notebook or set {name!r}; the package has {known}")


def _report(options: argparse.Namespace) -> int:
    from crime_analysis.reports import closing_table, render
    from crime_analysis.reports.job import make_job

    chain = make_job(notebooks_folder() / "07-the-chain.ipynb").name
    batch = render(notebooks_folder() / "reports.yml", out=options.out, progress=True, check=False)
    for result in batch.results:
        if result.name == chain and result.html is not None:
            for line in result.records["lines"]:
                print(line)
            print(f"report: {result.html}")
    print(f"index: {batch.index}")
    if batch.failed:
        print(closing_table(batch), file=sys.stderr)
    return 1 if batch.failed else 0


def _render(options: argparse.Namespace) -> int:
    from crime_analysis.reports import closing_table, render
    from crime_analysis.reports.plan import parse_over

    names = [name for name, _ in options.parameter]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"parameter {', '.join(twice)} is given twice; give it once")
    batch = render(
        _notebook(options.target),
        dict(options.parameter),
        options.out,
        over=parse_over(options.over),
        jobs=options.jobs,
        scheduler=options.scheduler,
        force=options.force,
        fail_fast=options.fail_fast,
        timeout=options.timeout,
        memory_gb=options.memory,
        warm=not options.cold,
        pdf=options.pdf,
        progress=True,
        check=False,
    )
    print(closing_table(batch))
    return 1 if batch.failed else 0


def _parameters(options: argparse.Namespace) -> None:
    from crime_analysis.reports import read_parameters

    for p in read_parameters(_notebook(options.notebook)):
        told = f"{p.name} = {p.default!r}"
        print(told + (f"  # {p.help}" if p.help else ""))
        if p.choices:
            print("    " + ", ".join(map(str, p.choices)))
        elif p.minimum is not None or p.maximum is not None:
            print(f"    {p.minimum} to {p.maximum}")


def _verify(options: argparse.Namespace) -> int:
    from crime_analysis.reports import verify

    found = verify(options.folder, rerun=options.rerun, notebooks=notebooks_folder())
    print(found)
    return 0 if found.ok else 1


def _claims(options: argparse.Namespace) -> None:
    from crime_analysis.findings import claims

    print(claims.told(claims.check_claims(only=options.claim), options.claim))


def _course(options: argparse.Namespace) -> None:
    from crime_analysis import course

    for path in course.write_course(
        options.out, options.edition, notebooks_folder(), html=options.html
    ):
        print(path)


def _start(options: argparse.Namespace) -> None:
    from crime_analysis.working_folder import start

    written = start(options.folder, notebooks_folder())
    print(f"{len(written)} files in {options.folder}; open them: jupyter lab {options.folder}")


def _data_list(options: argparse.Namespace) -> None:
    from crime_analysis import catalog

    for resource in catalog.package()["resources"]:
        print(f"{resource['name']:<26}{resource['rows']:>7}  {resource['title']}")


def _data_show(options: argparse.Namespace) -> None:
    from crime_analysis import catalog

    frame, resource = catalog.load(options.table), catalog.describe(options.table)
    print(f"{resource['title']}\n{resource['description']}\n")
    for field in resource["schema"]["fields"]:
        unit = f" ({field['unit']})" if field.get("unit") else ""
        print(f"  {field['name']}: {field['description']}{unit}")
    print(f"\n{frame.head(8).to_string(index=False)}\n... {len(frame)} rows\n")
    for source in resource["sources"]:
        print(f"  {source['publisher']}, {source['title']} ({source['edition']})")
        print(f"    sha256 {source['sha256']}")


def _keys(rest: Sequence[str]) -> dict[str, str]:
    """Return ``--name value`` pairs as a dictionary."""
    keys: dict[str, str] = {}
    words = iter(rest)
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        value = value if equals else next(words, "")
        if not word.startswith("--") or not value:
            raise ParameterError(f"{word!r} is not a key; write --NAME VALUE")
        keys[name.replace("-", "_")] = value
    return keys


def _data_trace(options: argparse.Namespace) -> None:
    from crime_analysis import build, provenance

    found = provenance.trace(options.table, options.field, **_keys(options.rest))
    print(found)
    if options.raw:
        again = provenance.recompute(found.cells, build.recognise(options.raw).files)
        print(f"  worked out again from the raw file: {again:g}")


def _data_revisions(options: argparse.Namespace) -> None:
    from crime_analysis import catalog

    print("officers on 31 March, as first published and in the later edition, which is used")
    print(catalog.load("officers_revisions").to_string(index=False))
    print("\nknife offences, in the first and in the last edition that print them")
    print(catalog.load("knife_revisions").to_string(index=False))


def _data_crosscheck(options: argparse.Namespace) -> int:
    from crime_analysis import crosscheck

    found = crosscheck.crosscheck()
    print(crosscheck.told(found, every_pair=options.all))
    return 1 if len(crosscheck.disagreements(found)) else 0


def _data_verify(options: argparse.Namespace) -> None:
    from crime_analysis import catalog, provenance

    for resource in catalog.package()["resources"]:
        frame, origins = catalog.load(resource["name"]), provenance.verify(resource["name"])
        print(
            f"{resource['name']:<26}{len(frame):>7} rows {origins:>7} origins "
            f" {resource['hash'][:19]}…  as built"
        )


def _data_build(options: argparse.Namespace) -> None:
    from crime_analysis import build

    found = build.recognise(options.raw)
    for key, raw in found.files.items():
        known = found.publications[key]
        print(f"recognised {raw.name}: {known.publisher}, {known.title} ({known.edition})")
    for name, why in found.ignored.items():
        print(f"ignored {name}: {why}")
    print(build.build(found, options.out))


if __name__ == "__main__":
    command()
