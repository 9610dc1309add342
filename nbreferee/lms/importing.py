"""nbreferee import: submissions from a platform's zip into `submitted/`, and students into
nbgrader's gradebook.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook, Student
from nbgrader.coursedir import CourseDirectory
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import bindparam, insert, select, update

from nbreferee.lms import placing
from nbreferee.lms.archive import Archive, ZipError
from nbreferee.lms.handins import Contents, read_contents
from nbreferee.lms.matching import LeftOut, Matcher, OwnedSubmission
from nbreferee.lms.people import Person
from nbreferee.lms.roster import gradebook_people, read_roster

WORDS = {
    "new": "new",
    "replaced": "replaced",
    "unchanged": "unchanged",
    "kept": "kept as it was",
    "left out": "left out",
}


@dataclass(frozen=True)
class ImportOptions:
    """What to import, and how."""

    zip_path: Path
    assignment: str
    roster: Path | None = None
    platform: str = ""
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True)
class ImportedSubmission:
    """What became of one submission."""

    student: str
    name: str
    source: str
    how: str
    status: str  # a key of WORDS
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    late: bool = False


@dataclass
class ImportSummary:
    """What became of a zip."""

    platform: str
    rows: list[ImportedSubmission] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    files_left_out: list[LeftOut] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every submission is in its place."""
        bad = any(row.status in ("kept", "left out") for row in self.rows)
        return not (bad or self.left_out or self.files_left_out)


def import_zip(
    course: CourseDirectory, gradebook: Gradebook, wanted: ImportOptions
) -> ImportSummary:
    """Import a zip of submissions; with `dry_run`, find out what that would do.

    Raises
    ------
    ZipError, TableError
        where the zip or the roster cannot be used.
    """
    roster = read_roster(wanted.roster) if wanted.roster else None
    matcher = Matcher(gradebook_people(gradebook), roster, str(wanted.roster or ""))
    gradebook.db.rollback()  # hold no transaction while files are written
    source = Path(course.format_path(course.source_directory, ".", wanted.assignment))
    expected = sorted(path.stem for path in source.glob("*.ipynb"))
    with Archive(wanted.zip_path) as archive:
        contents = read_contents(archive, wanted.assignment, matcher.register, wanted.platform)
        owned, left_out = matcher.owners(contents)
        done = ImportSummary(contents.platform, left_out=[*matcher.roster_problems, *left_out])
        done.files_left_out = [LeftOut(one.path, one.why) for one in contents.refused]
        _check_room(course, owned, wanted)
        for one in sorted(owned, key=lambda one: one.person.student):
            done.rows.append(_import_one(course, archive, contents, one, expected, wanted))
    people = {one.person.student: one.person for one in owned}
    if not wanted.dry_run:
        save_students(
            gradebook,
            [people[row.student] for row in done.rows if row.status != "left out"],
            contents.platform,
        )
    return done


def _check_room(
    course: CourseDirectory, owned: Iterable[OwnedSubmission], wanted: ImportOptions
) -> None:
    needed = sum(member.size for one in owned for member in one.handin.files.values())
    free = shutil.disk_usage(course.root).free
    if needed > free:
        raise ZipError(
            f"{wanted.zip_path}: {needed >> 20} MB when unpacked, and {free >> 20} MB are free on "
            "the course's disk. Make room."
        )


def _import_one(
    course: CourseDirectory,
    archive: Archive,
    contents: Contents,
    one: OwnedSubmission,
    expected: list[str],
    wanted: ImportOptions,
) -> ImportedSubmission:
    """Put one submission into its place."""
    handin, student = one.handin, one.person.student

    def row(
        status: str, files: Iterable[str] = (), notes: Iterable[str] = ()
    ) -> ImportedSubmission:
        new = ("new in the gradebook",) if one.is_new and status != "left out" else ()
        return ImportedSubmission(
            student,
            _name(one.person),
            handin.source,
            one.how,
            status,
            tuple(files),
            (*new, *notes),
            handin.late,
        )

    size = sum(member.size for member in handin.files.values())
    if len(handin.files) > placing.FILES or size > placing.TOTAL_BYTES:
        most = f"{placing.FILES} files and {placing.TOTAL_BYTES >> 20} MB"
        return row(
            "left out", notes=[f"{len(handin.files)} files, {size >> 20} MB; {most} are allowed"]
        )
    placed = placing.place(handin.files, expected, keep_timestamp=contents.platform == "folders")
    try:
        data = {path: archive.read(member) for path, member in placed.files.items()}
    except ZipError as error:
        return row("left out", notes=[f"{error}. Download the zip again"])
    notes = [*placed.notes, *(f"no {name}.ipynb" for name in placed.missing)]
    folder = Path(course.format_path(course.submitted_directory, student, wanted.assignment))
    incoming = placing.Incoming(folder, data, handin.timestamp, placing.packed_at(handin.files))
    status, why = placing.verdict(incoming, wanted.force)
    if status in ("new", "replaced") and not wanted.dry_run:
        placing.write(incoming)
    return row(status, sorted(data), [why, *notes] if why else notes)


def _name(person: Person) -> str:
    return f"{person.first} {person.last}".strip() or person.name


def save_students(gradebook: Gradebook, people: list[Person], platform: str) -> None:
    """Write students into the gradebook; what is empty here stays as it is there."""
    table, database = Student.__table__, gradebook.db
    there = {row.id: row for row in database.execute(select(table))}
    new, changed = [], []
    for person in people:
        values = _columns(person, platform)
        old = there.get(person.student)
        if old is None:
            new.append({"id": person.student, **values})
        elif any(value and value != getattr(old, name) for name, value in values.items()):
            changed.append(
                {
                    "key": old.id,
                    **{
                        name: value or getattr(old, name) or value for name, value in values.items()
                    },
                }
            )
    try:
        if new:
            database.execute(insert(table), new)
        if changed:
            names = [name for name in changed[0] if name != "key"]
            database.execute(
                update(table)
                .where(table.c.id == bindparam("key"))
                .values({name: bindparam(name) for name in names}),
                changed,
            )
        database.commit()
    except BaseException:
        database.rollback()
        raise


def _columns(person: Person, platform: str) -> dict[str, str | None]:
    first, last = person.first, person.last
    if (
        not (first or last) and platform != "canvas"
    ):  # there a name without blanks is all that is known
        first, _, last = person.name.rpartition(" ")
    kinds = {
        "canvas": ("lms", "canvas", "anonymous"),
        "moodle": ("lms", "idnumber", "username", "participant"),
    }.get(platform, ("lms", "sid"))
    lms = next((person.ids[kind] for kind in kinds if person.ids.get(kind)), None)
    unknown = "" if first or last else None  # the Formgrader writes None for None
    columns = {
        "first_name": first or unknown,
        "last_name": last or unknown,
        "email": person.ids.get("email"),
        "lms_user_id": lms,
    }
    return {name: value and value[:128] for name, value in columns.items()}


def show(done: ImportSummary, console: Console, dry_run: bool) -> None:
    """Print who handed in what, and what is left out with the reason."""
    table = Table("student", "name", "from", "by", "", "files", "remarks", box=SIMPLE_HEAD)
    for row in done.rows:
        remarks = (["late"] if row.late else []) + list(row.notes)
        cells = (
            row.student,
            row.name,
            row.source,
            row.how,
            WORDS[row.status],
            ", ".join(row.files),
            "; ".join(remarks),
        )
        table.add_row(*(escape(cell) for cell in cells))
    if done.rows:
        console.print(table)
    for title, some in (("Left out", done.left_out), ("Files left out", done.files_left_out)):
        if some:
            console.print(f"{title}:", highlight=False)
        for one in some:
            console.print(
                f"  {one.source}: {one.why}", highlight=False, markup=False, soft_wrap=True
            )
    counts = Counter(row.status for row in done.rows)
    parts = [
        f"{counts[status]} {word}"
        for status, word in WORDS.items()
        if counts[status] and status != "left out"
    ]
    out = counts["left out"] + len(done.left_out)
    parts += [f"{out} left out"] if out else []
    verb = "would be imported" if dry_run else "imported"
    console.print(
        f"Submissions {verb} from {done.platform}: {', '.join(parts) or 'none'}.",
        highlight=False,
        markup=False,
    )
    late = sum(row.late for row in done.rows)
    if late:
        console.print(
            f"Canvas marks {late} as late, and does not say by how much: nbgrader takes nothing "
            "off for that. Let Canvas's late policy do it.",
            highlight=False,
        )
