"""Files as Canvas, Moodle and Gradescope write them, for classes that exist only here."""

from __future__ import annotations

import json
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Student:
    """Somebody whom the platforms know."""

    first: str
    last: str
    number: int  # Canvas's id; participants and submissions count from it
    login: str
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)  # what was handed in
    group: str = ""
    late: bool = False
    mark: str = ""  # what stands in the platform's column before

    @property
    def participant(self) -> int:
        return 70_000 + self.number

    @property
    def email(self) -> str:
        return f"{self.login}@example.org"

    @property
    def sid(self) -> str:
        return f"00{self.number}"

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


def zip_of(path: Path, files: Mapping[str, bytes], utf8: bool = True) -> Path:
    """Write a zip; without `utf8`, names are UTF-8 and the zip does not say so."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(
                name if utf8 else name.encode().decode("cp437"), (2026, 3, 1, 12, 0, 0)
            )
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    data = path.read_bytes()
    if (
        not utf8
    ):  # the flag that says UTF-8 is taken off, and the bytes of the names are what they were
        data = _without_utf8_flag(path)
        path.write_bytes(data)
    return path


def _without_utf8_flag(path: Path) -> bytes:
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    buffer = bytearray()
    central = bytearray()
    for info in infos:
        raw = info.filename.encode("cp437")
        start = info.header_offset
        length = int.from_bytes(data[start + 26 : start + 28], "little")
        body = data[start + 30 + length : start + 30 + length + info.compress_size]
        head = bytearray(data[start : start + 30])
        head[6:8] = (0).to_bytes(2, "little")
        head[26:28] = len(raw).to_bytes(2, "little")
        offset = len(buffer)
        buffer += head + raw + body
        entry = bytearray(46)
        entry[0:4] = b"PK\x01\x02"
        entry[4:6] = (20).to_bytes(2, "little")
        entry[6:28] = head[4:26]
        entry[28:30] = len(raw).to_bytes(2, "little")
        entry[42:46] = offset.to_bytes(4, "little")
        central += entry + raw
    end = b"PK\x05\x06" + bytes(4) + len(infos).to_bytes(2, "little") * 2
    end += len(central).to_bytes(4, "little") + len(buffer).to_bytes(4, "little") + bytes(2)
    return bytes(buffer + central) + end


# Canvas


def canvas_slug(student: Student, group: bool = False) -> str:
    """content_zipper.rb: sanitize_user_name, then all but word characters go."""
    name = student.group if group else f"{student.last}, {student.first}"
    name = re.sub(r"_(\d+)_", r"\1", name).lower()
    return "".join(
        one
        for one in name
        if one.isalnum() or one == "_" or unicodedata.category(one).startswith("M")
    )


def canvas_zip(
    path: Path,
    students: list[Student],
    anonymous: bool = False,
    groups: bool = False,
    utf8: bool = True,
    nfd: bool = False,
) -> Path:
    """A submissions zip."""
    files = {}
    attachment = 9000
    for student in students:
        for name, data in student.files.items():
            attachment += 1
            clean = re.sub(r'[\x00/\\:*?"<>|]+', "_", name)
            if anonymous:
                who = f"{'LATE_' if student.late else ''}anon_aB{student.number}c"
            else:
                who = f"{canvas_slug(student, groups)}_{'LATE_' if student.late else ''}{student.number}"
            entry = f"{who}_{attachment}_{clean}"
            files[unicodedata.normalize("NFD", entry) if nfd else entry] = data
    return zip_of(path, files, utf8)


@dataclass(frozen=True)
class Sheet:
    """How a CSV file is written."""

    separator: str = ","
    comma: bool = False  # decimal comma
    bom: bool = False
    line_end: str = "\n"
    quote_all: bool = False

    def number(self, value: float) -> str:
        text = f"{value:.2f}"
        return text.replace(".", ",") if self.comma else text

    def bytes(self, rows: list[list[str]], tail: str = "") -> bytes:
        text = (
            "".join(
                self.separator.join(self._cell(cell) for cell in row) + self.line_end
                for row in rows
            )
            + tail
        )
        return (b"\xef\xbb\xbf" if self.bom else b"") + text.encode()

    def _cell(self, value: str) -> str:
        special = self.quote_all or any(sign in value for sign in (self.separator, '"', "\n"))
        return '"' + value.replace('"', '""') + '"' if special else value


def canvas_gradebook(
    students: list[Student],
    sheet: Sheet,
    points: float,
    *,
    split: bool = False,
    sis: bool = False,
    custom: bool = False,
    posting: bool = False,
    tail: str = "",
) -> bytes:
    """Canvas's export of the gradebook: gradebook_exporter.rb."""
    header = (
        (["LastName", "FirstName"] if split else ["Student"])
        + ["ID"]
        + (["SIS User ID"] if sis else [])
        + ["SIS Login ID"]
    )
    header += (
        (["Integration ID", "Root Account"] if sis else [])
        + ["Section"]
        + (["Notes"] if custom else [])
    )
    width = len(header)
    header += ["Warm-up (4710)", "ps1 (4711)", "Essay, the first (4712)"]
    header += [
        "Assignments Current Points",
        "Assignments Final Points",
        "Current Score",
        "Final Score",
        "Override Score",
    ]
    rows = [header]
    if posting:
        rows.append([""] * width + ["", "Manual Posting", ""] + [""] * 5)
    ro = "(read only)"
    first = ["    Points Possible"] + [""] * (width - 1)
    rows.append(
        [*first, sheet.number(10), sheet.number(points), sheet.number(5), ro, ro, ro, ro, ""]
    )
    for one in students:
        names = [one.last, one.first] if split else [f"{one.last}, {one.first}"]
        row = (
            [*names, str(one.number)]
            + ([one.sid] if sis else [])
            + [one.login]
            + (["", "example.org"] if sis else [])
            + ["Section A and Section B"]
        )
        row += ['said "hello", twice'] if custom else []
        rows.append(
            [
                *row,
                sheet.number(7.5),
                one.mark,
                "EX",
                sheet.number(7.5),
                sheet.number(7.5),
                sheet.number(75),
                sheet.number(50),
                "",
            ]
        )
    return sheet.bytes(rows, tail)


# Moodle


@dataclass(frozen=True)
class Language:
    """Moodle's words in one language."""

    headings: tuple[
        str, ...
        # identifier, name, e-mail, status, group, grade, maximum, changeable, submitted, graded,
        # comments
    ]
    participant: str
    yes: str
    no: str
    status: str


ENGLISH = Language(
    (
        "Identifier",
        "Full name",
        "Email address",
        "Status",
        "Group",
        "Grade",
        "Maximum grade",
        "Grade can be changed",
        "Last modified (submission)",
        "Last modified (grade)",
        "Feedback comments",
    ),
    "Participant ",
    "Yes",
    "No",
    "Submitted for grading - ",
)
GERMAN = Language(
    (
        "ID",
        "Vollständiger Name",
        "E-Mail-Adresse",
        "Status",
        "Gruppe",
        "Bewertung",
        "Bestwertung",
        "Bewertung kann geändert werden",
        "Zuletzt geändert (Abgabe)",
        "Zuletzt geändert (Bewertung)",
        "Feedback als Kommentar",
    ),
    "Teilnehmer/in",
    "Ja",
    "Nein",
    "Zur Bewertung abgegeben - ",
)
FRENCH = Language(
    (
        "Identifiant",
        "Nom complet",
        "Adresse de courriel",
        "Statut",
        "Groupe",
        "Note",
        "Note maximale",
        "La note peut être modifiée",
        "Dernière modification (travail remis)",
        "Dernière modification (note)",
        "Feedback par commentaires",
    ),
    "Participant ",
    "Oui",
    "Non",
    "Remis pour évaluation - ",
)
FINNISH = Language(  # of which the exporter knows no word
    (
        "Tunniste",
        "Koko nimi",
        "Sähköpostiosoite",
        "Tila",
        "Ryhmä",
        "Arvosana",
        "Maksimiarvosana",
        "Arvosanaa voi muuttaa",
        "Viimeksi muokattu (palautus)",
        "Viimeksi muokattu (arvosana)",
        "Palautekommentit",
    ),
    "Osallistuja ",
    "Kyllä",
    "Ei",
    "Palautettu arvioitavaksi - ",
)


def moodle_worksheet(
    students: list[Student],
    sheet: Sheet,
    points: float,
    language: Language = ENGLISH,
    *,
    blind: bool = False,
    email: bool = True,
) -> bytes:
    """Moodle's grading worksheet: gradingtable.php, with the columns of an offline download."""
    keep = [
        n
        for n in range(11)
        if not (blind and n in (1, 2))
        and not (n == 2 and not email)
        and not (n == 4 and not any(one.group for one in students))
    ]
    rows = [[language.headings[n] for n in keep]]
    for one in students:
        locked = one.mark == "locked"
        row = [
            f"{language.participant}{one.participant}",
            one.name,
            one.email,
            language.status,
            one.group,
            sheet.number(3) if locked else one.mark,
            sheet.number(points),
            language.no if locked else language.yes,
            "Thursday, 5 March 2026, 10:30 AM",
            "-" if not one.mark else "Friday, 6 March 2026, 11:00 AM",
            "",
        ]
        rows.append([row[n] for n in keep])
    return sheet.bytes(rows)


def moodle_zip(
    path: Path,
    students: list[Student],
    *,
    flat: bool = False,
    old: bool = False,
    blind: bool = False,
    teams: bool = False,
    fork: bool = False,
    word: str = "Participant",
) -> Path:
    """A submissions zip: downloader.php."""
    files = {}
    teams_done: set[str] = set()
    for one in students:
        who = word if blind else one.name
        who = f"{one.login} {who}" if fork else who
        number = one.participant
        if teams:
            if one.group in teams_done:
                continue
            teams_done.add(one.group)
            who, number = one.group, 40 + len(teams_done)
        prefix = f"{who.replace('_', ' ')}_{number}_assignsubmission_file"
        for name, data in one.files.items():
            files[f"{prefix}_{name}" if flat else f"{prefix}{'_' if old else ''}/{name}"] = data
        if one.files and not flat:
            files[
                f"{who.replace('_', ' ')}_{number}_assignsubmission_onlinetext/onlinetext.html"
            ] = b"<p>Here it is.</p>"
    return zip_of(path, files)


# Gradescope


def gradescope_zip(
    path: Path,
    students: list[Student],
    *,
    top: str = "assignment_31_export/",
    groups: bool = False,
    ruby: bool = True,
    sid: bool = True,
) -> Path:
    """An export of submissions with its metadata, as Ruby dumps it."""
    files = {}
    lines = ["---"]
    colon = ":" if ruby else ""
    done: set[str] = set()
    for one in students:
        if not one.files or (groups and one.group in done):
            continue
        done.add(one.group)
        together = [other for other in students if groups and other.group == one.group] or [one]
        folder = f"submission_{one.number}"
        lines += [f"{folder}:", f"  {colon}submitters:"]
        for other in together:
            lines += [
                f"  - {colon}name: {json.dumps(other.name, ensure_ascii=False)}",
                f"    {colon}sid: '{other.sid if sid else ''}'",
                f"    {colon}email: {other.email}",
            ]
        lines += [
            f"  {colon}created_at: 2026-01-02 03:04:05.678000000 Z",
            f"  {colon}score: 0.0",
            f"  {colon}status: processed",
        ]
        lines += [
            f"  {colon}results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess",
            "    tests: []",
            f"  {colon}history:",
            f"  - {colon}id: 1",
        ]
        for name, data in one.files.items():
            files[f"{top}{folder}/{name}"] = data
    files[f"{top}submission_metadata.yml"] = "\n".join(lines).encode() + b"\n"
    return zip_of(path, files)


def gradescope_scores(
    students: list[Student],
    sheet: Sheet,
    points: float,
    *,
    course: bool = False,
    name: bool = False,
    sid: bool = True,
) -> bytes:
    """Gradescope's table of scores of an assignment, or of a course."""
    who = ["Name"] if name else ["First Name", "Last Name"]
    header = [*who, "SID", "Email", "Sections"]
    if course:
        header += ["Quiz", "Quiz - Max Points", "Quiz - Submission Time", "Quiz - Lateness (H:M:S)"]
        header += [
            "ps1",
            "ps1 - Max Points",
            "ps1 - Submission Time",
            "ps1 - Lateness (H:M:S)",
            "Total Lateness (H:M:S)",
        ]
    else:
        header += [
            "Total Score",
            "Max Points",
            "Status",
            "Submission ID",
            "Submission Time",
            "Lateness (H:M:S)",
            "View Count",
            "Submission Count",
            "1: Double (3.0 pts)",
        ]
    rows = [header]
    for one in students:
        row = [
            *([one.name] if name else [one.first, one.last]),
            one.sid if sid else "",
            one.email,
            "A",
        ]
        if course:
            row += [
                "2.0",
                "2.0",
                "",
                "",
                one.mark,
                f"{points}",
                "2026-01-02 03:04:05 +0000",
                "00:00:00",
                "00:00:00",
            ]
        else:
            row += [
                one.mark,
                f"{points}",
                "Graded",
                str(one.number),
                "2026-01-02 03:04:05 +0000",
                "00:00:00",
                "0",
                "1",
                "",
            ]
        rows.append(row)
    return sheet.bytes(rows)
