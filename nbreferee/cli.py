"""The command line. Heavy imports wait inside the commands, so that --help answers at once."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nbreferee import __version__
from nbreferee.authoring.cli import init, new, roster, validate
from nbreferee.marking.cli import comment, groups, mark
from nbreferee.options import COURSE_DIR

if TYPE_CHECKING:
    from rich.progress import TaskID

    from nbreferee.grading.pool import Workers


def _need_linux(why: str) -> None:
    if sys.platform != "linux":
        from nbreferee.course.locate import NEEDS_LINUX

        click.echo(f"nbreferee: {NEEDS_LINUX.format(why)}", err=True)
        sys.exit(2)


class _Commands(click.Group):
    """Ends in a line, whatever a command raises."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, click.Abort):
            click.echo(
                "nbreferee: stopped. What is done is kept; run the command again to go on.",
                err=True,
            )
            os._exit(130)  # workers end with this process
        except Exception as error:
            from nbreferee.unforeseen import told

            click.echo(
                f"nbreferee: {told(error, context.invoked_subcommand or 'stopped')}", err=True
            )
            sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nbreferee")
def main() -> None:
    """Grade nbgrader courses."""
    from nbreferee.startup import skip_address_grammar

    skip_address_grammar()


for _command in (init, new, roster, validate, mark, groups, comment):
    main.add_command(_command)


@main.command()
@click.argument("assignments", nargs=-1)
@COURSE_DIR
@click.option(
    "--csv",
    "csv_path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the points of every student by exercise to this file.",
)
@click.option(
    "--html",
    "html_folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write pages with statistics of every exercise into this folder; open its index.html.",
)
def report(course_dir: Path, **options: Any) -> None:
    """Print what every student has in every assignment, and what waits for a person.

    The pages and the file are for teachers: they name students.
    """
    from nbreferee.report.command import run

    sys.exit(run(course_dir, **options))


def _working(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that give work to workers."""
    options = (
        click.argument("assignments", nargs=-1),
        COURSE_DIR,
        click.option(
            "--jobs",
            type=click.IntRange(min=1),
            help="How many notebooks are worked on at once (default: one per core).",
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Work on the Dask cluster at this address, tcp://host:8786 for example.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _grading(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that grade."""
    options = (
        click.option(
            "--student",
            "students",
            multiple=True,
            metavar="ID",
            help="Grade this student alone; may be given several times.",
        ),
        click.option(
            "--json",
            "json_path",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Write every verdict to this file.",
        ),
        click.option(
            "--force",
            is_flag=True,
            help="Grade again even what has not changed since it was graded.",
        ),
        click.option(
            "--unsafe-no-sandbox",
            metavar="REASON",
            help="Run student code unprotected, and stamp all that is graded so with the reason.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@contextlib.contextmanager
def _stopped_by_errors(workers: Workers | None) -> Iterator[None]:
    try:
        yield
    except Exception:
        if workers is not None:
            workers.stop()
            workers.close()
        raise


@main.command()
@_working
@_grading
@click.option(
    "--preview",
    is_flag=True,
    help="Only show whose points and messages would change, and write nothing.",
)
def autograde(**options: Any) -> None:
    """Grade what students have handed in.

    Their code runs in a sandbox. The tests run in another process, which alone decides.
    """
    _need_linux("student code runs in a sandbox")
    from nbreferee.early_workers import workers_getting_ready
    from nbreferee.startup import loading

    workers = workers_getting_ready(**options)
    with _stopped_by_errors(workers):
        with loading():
            from nbreferee import commands

        sys.exit(commands.autograde(commands.CommandOptions(**options), workers))


@main.command()
@_working
@click.option(
    "--student",
    "students",
    multiple=True,
    metavar="ID",
    help="Write this student's pages alone; may be given several times.",
)
def feedback(**options: Any) -> None:
    """Write what students get to read: a page for each notebook, without hidden tests.

    Pages that would not change stay as they are.
    """
    _need_linux("its workers")
    from nbreferee import commands

    sys.exit(commands.feedback(commands.CommandOptions(**options)))


@main.command()
@_working
@_grading
def grade(**options: Any) -> None:
    """Grade, write what students get to read, and print the class: autograde, feedback and
    report.
    """
    _need_linux("student code runs in a sandbox")
    from nbreferee.early_workers import workers_getting_ready
    from nbreferee.startup import loading

    workers = workers_getting_ready(**options)
    with _stopped_by_errors(workers):
        with loading():
            from nbreferee import commands

        sys.exit(commands.grade(commands.CommandOptions(**options), workers))


@main.command()
@click.argument("assignments", nargs=-1)
@COURSE_DIR
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="How many trials run at once (default: one per core).",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all results to this file.",
)
@click.option(
    "--forms",
    is_flag=True,
    help="Only list the forbidden forms of answers, and where the release shows one.",
)
def verify(
    assignments: tuple[str, ...],
    course_dir: Path,
    jobs: int | None,
    json_path: Path | None,
    forms: bool,
) -> None:
    """Say whether the tests themselves are any good.

    Tries solutions, lazy answers, mutants, right answers written otherwise and known mistakes on
    the tests of every notebook, and reports which tests are too weak, too strict, or leak.
    """
    import json

    _need_linux("answers run in a sandbox")
    from rich.console import Console
    from rich.progress import Progress

    from nbreferee.course.locate import CourseError, open_course, source_assignments

    try:
        if json_path and not json_path.parent.is_dir():
            raise CourseError(f"{json_path.parent}: no such folder for --json. Make it first.")
        course = open_course(course_dir)
        names = source_assignments(course, assignments)
    except CourseError as error:
        click.echo(f"nbreferee: {error}", err=True)
        sys.exit(2)
    from nbreferee.verify import course_release, trial_processes, verify_assignment
    from nbreferee.verify.report import print_forms, print_report

    verified, release = [], course_release(course)
    with (
        contextlib.nullcontext() if forms else trial_processes(course, jobs) as processes,
        Progress(console=Console(stderr=True), transient=True) as bar,
    ):
        rows: dict[str, TaskID] = {}

        def progress(notebook: str, done: int, expected: int) -> None:
            if notebook not in rows:
                rows[notebook] = bar.add_task(Path(notebook).stem)
            bar.update(rows[notebook], completed=done, total=expected)

        for name in names:
            verified += verify_assignment(course, name, release, processes, progress)
    if json_path:
        json_path.write_text(
            json.dumps([one.as_json() for one in verified], indent=1, ensure_ascii=False) + "\n"
        )
    (print_forms if forms else print_report)(verified, Console())
    sys.exit(1 if any(one.findings for one in verified) else 0)


@main.command()
def doctor() -> None:
    """Say which layers of the sandbox hold on this machine, and how to get the rest."""
    from rich.console import Console
    from rich.table import Table

    _need_linux("the sandbox is made of Linux's own parts")
    from nbreferee.sandbox.probe import CURES, probe, tier

    found = probe()
    table = Table("layer", "holds", "why not, and what to do", box=None)
    for one in found:
        table.add_row(
            one.layer.value,
            "yes" if one.holds else "no",
            "" if one.holds else f"{one.reason}. To mend it, {CURES[one.layer]}.",
        )
    console = Console()
    console.print(table)
    reached = tier(found)
    said = {
        "A": "Tier A: every layer holds.",
        "B": (
            "Tier B: all layers but the namespaces hold. Student code starts no processes of its "
            "own."
        ),
    }
    console.print(said.get(reached, "No tier: student code must not run here."))
    sys.exit(0 if reached else 1)


@main.command()
@click.argument("assignments", nargs=-1)
@COURSE_DIR
@click.option(
    "--students",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="How many students the class has.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="How many notebooks nbreferee grades at once (default: one per core).",
)
@click.option(
    "--sizes",
    default="10,100",
    show_default=True,
    metavar="N,N,...",
    help="Class sizes of the scaling table, or none.",
)
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("bench"),
    show_default=True,
    help="Where bench.json and bench.png go.",
)
def bench(
    assignments: tuple[str, ...],
    course_dir: Path,
    students: int,
    jobs: int | None,
    sizes: str,
    to: Path,
) -> None:
    """Measure this machine against stock nbgrader: same submissions, one run."""
    _need_linux("student code runs in a sandbox")
    from rich.console import Console

    from nbreferee.bench.commands import BenchError
    from nbreferee.bench.show import show
    from nbreferee.course.locate import CourseError, open_course, source_assignments

    try:
        wanted = [size for size in sizes.split(",") if size] if sizes != "none" else []
        if not all(size.isdecimal() and int(size) for size in wanted):
            raise CourseError(
                f"--sizes {sizes}: not numbers with commas between them. Write 10,100 for example, "
                "or none."
            )
        names = source_assignments(open_course(course_dir), assignments)
        show(
            course_dir.resolve(),
            names,
            students,
            jobs or len(os.sched_getaffinity(0)),
            [int(size) for size in wanted],
            to,
            Console(),
        )
    except (CourseError, BenchError) as error:
        click.echo(f"nbreferee: {error}", err=True)
        sys.exit(2)


@main.command()
@click.argument("assignments", nargs=-1)
@COURSE_DIR
@click.option(
    "--mutants",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many wrong answers of each notebook to try.",
)
def compare(assignments: tuple[str, ...], course_dir: Path, mutants: int) -> None:
    """Grade the solution, mutants of it, the release and the submissions here and with stock
    nbgrader.

    Says which test cells are judged in one process and why, and what differs. Nothing of the course
    is changed.
    """
    _need_linux("student code runs in a sandbox")
    from rich.console import Console

    from nbreferee.bench.commands import BenchError
    from nbreferee.compare.show import show
    from nbreferee.course.locate import CourseError, open_course, source_assignments
    from nbreferee.course.settings import SandboxError

    try:
        course = open_course(course_dir.resolve())
        console = Console()
        sys.exit(
            show(
                course,
                source_assignments(course, assignments),
                mutants,
                console if console.is_terminal else Console(width=120),
            )
        )
    except (CourseError, BenchError, SandboxError) as error:
        click.echo(f"nbreferee: {error}", err=True)
        sys.exit(2)


@main.command(name="import")
@click.argument("zip_path", metavar="FILE.zip", type=click.Path(path_type=Path))
@click.argument("assignment")
@COURSE_DIR
@click.option(
    "--roster",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="Who is who: a CSV file, a Canvas gradebook or a Moodle grading worksheet.",
)
@click.option(
    "--from",
    "platform",
    type=click.Choice(["canvas", "moodle", "gradescope", "folders"]),
    default=None,
    help="Where the zip comes from, if that cannot be told.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--force", is_flag=True, help="Replace submissions that are newer or of unknown age.")
def import_(course_dir: Path, platform: str | None, **options: Any) -> None:
    """Put submissions from Canvas, Moodle, Gradescope or folders into submitted/.

    FILE.zip is what the platform's download of all submissions gives. Students are matched by the
    roster, or by the gradebook; what matches nobody is listed and left out.
    """
    from nbreferee.lms import commands

    sys.exit(commands.import_submissions(course_dir, platform=platform or "", **options))


@main.command()
@click.argument("platform", type=click.Choice(["csv", "canvas", "moodle", "gradescope"]))
@click.argument("assignments", nargs=-1)
@COURSE_DIR
@click.option(
    "--template",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The file that you downloaded: Canvas's gradebook, Moodle's grading worksheet, "
    "Gradescope's scores.",
)
@click.option(
    "--to",
    metavar="FILE",
    type=click.Path(path_type=Path),
    required=True,
    help="Where to write the file to upload.",
)
@click.option(
    "--column",
    "columns",
    metavar="[ASSIGNMENT=]COLUMN",
    multiple=True,
    help="Which column is the assignment's: Canvas's id in parentheses, or a heading.",
)
@click.option(
    "--roster",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="Who is who, if the gradebook does not say it.",
)
@click.option(
    "--student",
    "students",
    multiple=True,
    metavar="ID",
    help="Export this student alone; may be given several times.",
)
@click.option(
    "--scale", is_flag=True, help="Multiply scores where the platform's maximum is another."
)
@click.option("--partial", is_flag=True, help="Send scores of which a part waits for a person.")
@click.option(
    "--missing-zero",
    is_flag=True,
    help="Send a zero for students who handed in nothing (default: leave their cells).",
)
@click.option(
    "--comments",
    metavar="HEADING",
    is_flag=False,
    flag_value="",
    default=None,
    help="Moodle: write graders' comments into this column, or the one for comments.",
)
@click.option(
    "--feedback-zip",
    metavar="FILE.zip",
    type=click.Path(path_type=Path),
    help="Moodle: write the pages of feedback as a zip to upload.",
)
def export(course_dir: Path, assignments: tuple[str, ...], **options: Any) -> None:
    """Write scores into the file that you downloaded from Canvas, Moodle or Gradescope.

    One column changes, and all else stays byte for byte. A student whose answers wait for a person
    has no score yet, and is left out. csv writes a table of its own.
    """
    from nbreferee.lms import commands

    sys.exit(commands.export_scores(course_dir, assignments, **options))


@main.command()
@click.argument("assignment")
@COURSE_DIR
@click.option(
    "--to",
    metavar="FILE.zip",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where to write the zip to upload.",
)
@click.option(
    "--visibility",
    metavar="[GRADE_ID=]WHEN",
    multiple=True,
    help="When students see tests: visible, hidden, after_due_date or after_published.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=1),
    default=10,
    show_default=True,
    help="Gradescope's time limit for this autograder.",
)
@click.option(
    "--unsafe-no-sandbox",
    metavar="REASON",
    default="",
    help="Run student code unprotected there, and stamp every result with the reason.",
)
def gradescope(course_dir: Path, **options: Any) -> None:
    """Write a Gradescope autograder that grades an assignment with nbreferee."""
    from nbreferee.lms import commands

    sys.exit(commands.make_autograder(course_dir, **options))


if __name__ == "__main__":
    main()
