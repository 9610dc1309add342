"""What a zip of submissions holds: who handed in which files, as Canvas, Moodle, Gradescope or
plain folders say it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from nbreferee.lms import canvas, gradescope, moodle
from nbreferee.lms.archive import Archive, Member, Refused, ZipError
from nbreferee.lms.people import Person, Register, name_key

PLATFORMS = ("canvas", "moodle", "gradescope", "folders")


@dataclass(frozen=True)
class Handin:
    """What one student or group handed in."""

    source: str  # how the zip names it
    claim: Person  # who the zip says it is
    files: dict[str, Member] = field(repr=False)
    late: bool = False
    timestamp: datetime | None = None
    group: str = ""  # its name: it goes to each member
    anonymous: bool = False


@dataclass(frozen=True)
class Contents:
    """All that a zip holds."""

    platform: str
    handins: tuple[Handin, ...]
    refused: tuple[Refused, ...]


def read_contents(
    archive: Archive, assignment: str, register: Register, platform: str = ""
) -> Contents:
    """Return what was handed in; `platform` says where the zip comes from, if that is not to be
    found out.

    Raises
    ------
    ZipError
        where that cannot be told.
    """
    _unwrap(archive)
    platform = platform or recognise(archive)
    readers: dict[str, Callable[[Archive], Contents]] = {
        "canvas": partial(_read_canvas, register=register),
        "moodle": partial(_read_moodle, register=register),
        "gradescope": _read_gradescope,
        "folders": partial(_read_folders, assignment=assignment),
    }
    contents = readers[platform](archive)
    return replace(contents, refused=(*archive.refused, *contents.refused))


def _unwrap(archive: Archive) -> None:
    """Take away a folder around all files of Canvas or Moodle: some systems unpack a download, and
    people zip it again.
    """
    tops = {member.path.partition("/")[0] for member in archive.members}
    if len(tops) != 1 or any("/" not in member.path for member in archive.members):
        return
    inner = [replace(member, path=member.path.partition("/")[2]) for member in archive.members]
    top = next(iter(tops))
    ours = sum(
        moodle.read_entry_name(one.path) is not None
        or ("/" not in one.path and bool(canvas.read_file_name(one.path)))
        for one in inner
    )
    if ours > 0.8 * len(inner) and moodle.read_entry_name(f"{top}/x") is None:
        archive.members = inner


def recognise(archive: Archive) -> str:
    """Return which platform a zip comes from: its names must all, or nearly all, be that
    platform's.
    """
    paths = [member.path for member in archive.members]
    if not paths:
        raise ZipError(
            f"{archive.path}: no files in this zip that could be used. Is it the right one?"
        )
    if gradescope.metadata_member(archive) is not None:
        return "gradescope"
    hits = {
        "moodle": sum(moodle.read_entry_name(path) is not None for path in paths),
        "canvas": sum("/" not in path and bool(canvas.read_file_name(path)) for path in paths),
    }
    likely = [name for name, count in hits.items() if count > 0.8 * len(paths)]
    if len(likely) > 1:
        raise ZipError(
            f"{archive.path}: Canvas or Moodle? Its names could be of both. Say which: --from "
            "canvas or --from moodle."
        )
    if likely:
        return likely[0]
    if all("/" in path for path in paths) and not any(hits.values()):
        return "folders"
    if sum("/" in path for path in paths) > 0.8 * len(paths) and not hits["moodle"]:
        return "folders"
    raise ZipError(
        f"{archive.path}: this looks like no export of Canvas, Moodle or Gradescope, and like no "
        f"folders of students ({paths[0]}, ...). Say which it is: --from {', '.join(PLATFORMS)}."
    )


def _read_canvas(archive: Archive, register: Register) -> Contents:
    found: dict[tuple[str, str], dict[str, list[Member]]] = defaultdict(lambda: defaultdict(list))
    names: dict[tuple[str, str], canvas.FileName] = {}
    refused = []
    for member in archive.members:
        meanings = [] if "/" in member.path else canvas.read_file_name(member.path)
        name = canvas.choose(meanings, register)
        if name is None:
            users = " or ".join(one.user for one in meanings)
            why = (
                f"it could be of user {users}. Give --roster with Canvas's gradebook"
                if users
                else "its name is not one that Canvas writes"
            )
            refused.append(Refused(member.path, why))
            continue
        key = (name.user, name.anonymous)
        names.setdefault(key, name)
        found[key][name.file].append(member)
    handins = []
    for key, files in found.items():
        name = names[key]
        twice = [file for file, members in files.items() if len(members) > 1]
        refused += [
            Refused(member.path, "this student has several files of that name")
            for file in twice
            for member in files[file]
        ]
        claim = Person(
            name.name,
            ids={"anonymous": name.anonymous} if name.anonymous else {"canvas": name.user},
        )
        source = f"anon_{name.anonymous}" if name.anonymous else f"{name.name}_{name.user}"
        single = {file: members[0] for file, members in files.items() if len(members) == 1}
        handins.append(Handin(source, claim, single, name.late, anonymous=bool(name.anonymous)))
    return Contents("canvas", tuple(handins), tuple(refused))


def _read_moodle(archive: Archive, register: Register) -> Contents:
    found: dict[tuple[str, str], dict[str, Member]] = defaultdict(dict)
    refused = []
    for member in archive.members:
        entry = moodle.read_entry_name(member.path)
        if entry is None:
            refused.append(Refused(member.path, "its name is not one that Moodle writes"))
        elif entry.path in found[entry.name, entry.number]:
            refused.append(
                Refused(member.path, "this student has another file of that name, of another kind")
            )
        else:
            found[entry.name, entry.number][entry.path] = member
    blind = _is_blind(list(found), register)
    return Contents(
        "moodle",
        tuple(_moodle_handin(*key, files, register, blind) for key, files in found.items()),
        tuple(refused),
    )


def _is_blind(names: list[tuple[str, str]], register: Register) -> bool:
    """Return whether one word stands for all names, and nobody of the roster has that name or one
    of these numbers and another name.
    """
    if (
        len({name_key(name) for name, _ in names}) != 1
        or len(names) < 2
        or register.named(Person(names[0][0]))
    ):
        return False
    return not any(
        person.name for _, number in names for person in register.with_id("participant", number)
    )


def _moodle_handin(
    name: str, number: str, files: dict[str, Member], register: Register, blind: bool
) -> Handin:
    """Return a student's, a group's or an anonymous participant's files, whichever the roster
    says.
    """
    source = f"{name}_{number}" if number else name
    people = register.with_id("participant", number) if number else []
    is_person = any(_fits(person, name) for person in people)
    if not is_person and register.members(name):
        return Handin(source, Person(name), files, group=name)
    anonymous = blind or name_key(name) in (
        ("participant",),
        ("teilnehmer",),
        ("in", "teilnehmer"),
        ("teilnehmerin",),
        ("participante",),
    )
    return Handin(
        source,
        Person("" if anonymous else name, ids={"participant": number} if number else {}),
        files,
        anonymous=anonymous,
    )


def _fits(person: Person, name: str) -> bool:
    """Return whether a roster's person may have this name in Moodle's files."""
    return not person.name or bool(name_key(person.name) == name_key(name))


def _read_gradescope(archive: Archive) -> Contents:
    submissions, refused = gradescope.read_metadata(archive)
    folders = {one.folder: one.folder.count("/") for one in submissions}
    found: dict[str, dict[str, Member]] = defaultdict(dict)
    for member in archive.members:
        for depth in set(folders.values()):
            folder = "".join(f"{part}/" for part in member.path.split("/")[:depth])
            if folder in folders and member.path != folder.rstrip("/"):
                found[folder][member.path.removeprefix(folder)] = member
    handins: list[Handin] = []
    for one in submissions:
        files = found[one.folder]
        if not files:
            refused.append(Refused(one.folder, "the zip holds no files of this submission"))
        handins.extend(
            Handin(f"{one.name}: {submitter.label}", submitter, files, False, one.created_at)
            for submitter in one.submitters
        )
    return Contents("gradescope", tuple(handins), tuple(refused))


def _read_folders(archive: Archive, assignment: str) -> Contents:
    members, outside = _unwrapped(archive.members, assignment)
    found: dict[str, dict[str, Member]] = defaultdict(dict)
    for path, member in members:
        student, _, rest = path.partition("/")
        found[student][rest] = member
    handins = []
    for student, files in found.items():
        inner = {
            path.removeprefix(f"{assignment}/"): member
            for path, member in files.items()
            if path.startswith(f"{assignment}/")
        }
        ids = {"student": student, "login": student} | (
            {"email": student} if "@" in student else {}
        )
        handins.append(Handin(student, Person(ids=ids), inner or files))
    return Contents(
        "folders",
        tuple(handins),
        tuple(Refused(path, "it lies in no student's folder") for path in outside),
    )


def _unwrapped(
    members: Iterable[Member], assignment: str
) -> tuple[list[tuple[str, Member]], list[str]]:
    """Return the files in students' folders, without a folder around them all; and those that are
    in none.
    """
    listed = [(member.path, member) for member in members]
    tops = {path.partition("/")[0] for path, _ in listed if "/" in path}
    if len(tops) == 1:
        top = next(iter(tops))
        inner = [path.removeprefix(f"{top}/") for path, _ in listed if path.startswith(f"{top}/")]
        direct = any("/" not in path and path.endswith(".ipynb") for path in inner)
        seconds = {path.partition("/")[0] for path in inner if "/" in path}
        if not direct and seconds and seconds != {assignment}:
            listed = [(path.removeprefix(f"{top}/"), member) for path, member in listed]
    return [(path, member) for path, member in listed if "/" in path], [
        path for path, _ in listed if "/" not in path
    ]
