"""Gradescope: its exports of submissions, and its tables of scores.

Exports hold submission_metadata.yml, written by Ruby: its keys are symbols, so they begin with a
colon. There is no official description; this is what public programs that read them agree on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nbreferee.lms.archive import Archive, Member, Refused, ZipError
from nbreferee.lms.csvtext import Cell, Table, TableError, read_number
from nbreferee.lms.people import Person, name_key

METADATA = "submission_metadata.yml"
DEPTH = 200


@dataclass(frozen=True)
class MetadataEntry:
    """One entry of the metadata."""

    name: str  # submission_123
    folder: str  # in the zip, with a slash at its end
    submitters: tuple[Person, ...]
    created_at: datetime | None


def metadata_member(archive: Archive) -> Member | None:
    """Return the metadata's file, if it lies where Gradescope puts it: beside folders of
    submissions.
    """
    paths = {member.path: member for member in archive.members}
    tops = {path.partition("/")[0] for path in paths}
    places = [METADATA] + ([f"{next(iter(tops))}/{METADATA}"] if len(tops) == 1 else [])
    for place in places:
        base = place.removesuffix(METADATA)
        others = [path for path in paths if path != place]
        if place in paths and all(
            path.startswith(f"{base}submission_") or "/" not in path.removeprefix(base)
            for path in others
        ):
            return paths[place]
    return None


def read_metadata(archive: Archive) -> tuple[list[MetadataEntry], list[Refused]]:
    """Return the submissions that the metadata lists, and those that cannot be used.

    Raises
    ------
    ZipError
        where there is no metadata, or it cannot be read.
    """
    member = metadata_member(archive)
    if member is None:
        raise ZipError(
            f"{archive.path}: no {METADATA} beside the submissions. Choose Export Submissions in "
            "Gradescope again."
        )
    data = load_yaml(archive.read(member), f"{archive.path}: {METADATA}")
    base = member.path.removesuffix(METADATA)
    found, refused = [], []
    for name, entry in data.items():
        submitters = _submitters(entry)
        if not isinstance(name, str) or "/" in name or not submitters:
            refused.append(
                Refused(
                    str(name)[:120],
                    "Gradescope names no student for it. Assign it to a student there, and export "
                    "again",
                )
            )
            continue
        found.append(
            MetadataEntry(
                name,
                f"{base}{name}/",
                submitters,
                _time(entry.get(":created_at", entry.get("created_at"))),
            )
        )
    listed = {one.folder for one in found} | {f"{base}{entry.path}/" for entry in refused}
    stray = {
        member.path.removeprefix(base).partition("/")[0]
        for member in archive.members
        if "/" in member.path.removeprefix(base)
    }
    refused += [
        Refused(name, f"{METADATA} does not list it")
        for name in sorted(stray)
        if f"{base}{name}/" not in listed
    ]
    return found, refused


def load_yaml(data: bytes, name: str) -> dict[Any, Any]:
    """Return a mapping from YAML as Ruby writes it: plain values alone, whatever classes it names.

    Raises
    ------
    ZipError
        where it is none.
    """
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the faster one
        pass

    def plain(loader: Any, _: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("!", plain)
    try:
        _check_depth(yaml.parse(data, Loader))
        found = yaml.load(data, Loader)  # a subclass of the safe loader
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise ZipError(
            f"{name} cannot be read ({str(error).splitlines()[0]}). Export the submissions again."
        ) from None
    if not isinstance(found, dict):
        raise ZipError(f"{name} lists no submissions. Export the submissions again.")
    return found


def _check_depth(events: Iterable[Any]) -> None:
    """Refuse what is nested too deeply for the loader, which is recursive and in C: it would end
    this process.
    """
    import yaml

    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH:
                raise ValueError("it is nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _submitters(entry: Any) -> tuple[Person, ...]:
    given = (
        (entry.get(":submitters") or entry.get("submitters") or [])
        if isinstance(entry, dict)
        else []
    )
    found = []
    for one in given if isinstance(given, list) else []:
        if not isinstance(one, dict):
            continue
        values = {key: one.get(f":{key}", one.get(key)) for key in ("name", "sid", "email")}
        texts = {
            key: str(value).strip() for key, value in values.items() if isinstance(value, str | int)
        }
        ids = {kind: texts[kind] for kind in ("sid", "email") if texts.get(kind)}
        if ids or texts.get("name"):
            found.append(Person(texts.get("name", ""), ids=ids))
    return tuple(found)


def _time(value: Any) -> datetime | None:
    """Return when a submission was made; a time without a zone is UTC, as YAML has it."""
    if isinstance(value, dict):  # Ruby's ActiveSupport::TimeWithZone
        value = value.get("utc")
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace(" UTC", "+00:00"))
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def is_scores(table: Table) -> bool:
    """Return whether a table is one of Gradescope's: of an assignment's scores, of a course's, or
    its roster.
    """
    header = table.header
    return (
        "SID" in header
        and "Email" in header
        and ({"First Name", "Last Name"} <= set(header) or "Name" in header)
    )


def people_of(table: Table) -> list[Person]:
    """Return the students of a table of scores."""
    return [person for _, person in student_rows(table)]


def student_rows(table: Table) -> list[tuple[tuple[Cell, ...], Person]]:
    """Return the rows of students, each with who it is."""
    columns = {name: number for number, name in reversed(list(enumerate(table.header)))}
    found = []
    for position, row in enumerate(table.rows[1:], 2):
        values = {
            name: table.value(row, columns[name]) if name in columns else ""
            for name in ("First Name", "Last Name", "Name", "SID", "Email")
        }
        ids = {
            kind: values[name]
            for kind, name in (("sid", "SID"), ("email", "Email"))
            if values[name]
        }
        first, last = values["First Name"], values["Last Name"]
        if ids:
            found.append(
                (
                    row,
                    Person(
                        values["Name"] or f"{first} {last}".strip(),
                        first,
                        last,
                        ids,
                        where=f"{table.name}, row {position}",
                    ),
                )
            )
    return found


@dataclass(frozen=True)
class Column:
    """Where an assignment's scores stand, and where its maximum does."""

    number: int
    heading: str
    maximum: int


def find_column(table: Table, assignment: str, wanted: str = "") -> Column:
    """Return the column of an assignment: `Total Score` of its own table, or the one of its name in
    the course's.

    Raises
    ------
    TableError
        where it is not there, or more than once.
    """
    header = table.header
    if "Total Score" in header and not wanted:
        names, maximum = ["Total Score"], "Max Points"
    else:
        pairs = [name for name in header if f"{name} - Max Points" in header]
        names = [
            name
            for name in pairs
            if name == wanted or (not wanted and name_key(name) == name_key(assignment))
        ]
        maximum = f"{names[0]} - Max Points" if names else ""
    there = ", ".join(name for name in header if f"{name} - Max Points" in header) or "none"
    if len(names) != 1 or header.count(names[0]) != 1 or header.count(maximum) != 1:
        raise TableError(
            f"{table.name}: not exactly one column for {wanted or assignment}. Gradescope's "
            f"assignments there: {there}. Say which one: --column {assignment}=NAME."
        )
    return Column(header.index(names[0]), names[0], header.index(maximum))


def max_score(table: Table, row: tuple[Cell, ...], column: Column) -> float | None:
    """Return the points that Gradescope gives at most."""
    return read_number(table.value(row, column.maximum))
