"""nbgrader's ids for the people of a roster: those of the gradebook's students, or new ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nbreferee.lms.people import HANDLES, PLATFORM, Person, Register, id_key, name_forms

MEND_BOOK = "Mend ids, e-mail addresses or lms_user_ids, in the gradebook or the roster."


@dataclass(frozen=True)
class NamedPeople:
    """People of a file with the ids of nbgrader's students, and those who could not be told."""

    people: tuple[Person, ...]  # each with a student's id
    new: frozenset[str]  # ids of those whom the gradebook does not know
    problems: tuple[tuple[Person, str], ...]


def name_students(people: Iterable[Person], gradebook: Iterable[Person]) -> NamedPeople:
    """Give each person of a roster the id of a student in the gradebook, or one that is new
    there.
    """
    people, known = tuple(people), Register(gradebook, "the gradebook")
    students = {person.student: person for person in known.people}
    key = _key_kind(people, students)
    candidates = [_candidates(person, key, known) for person in people]
    if not any(candidates) and key != "student":  # nothing better is known
        candidates = [_by_name(person, known) for person in people]
    fallback = _fallback_kind(people, key)
    found: list[tuple[Person, str]] = []
    problems: list[tuple[Person, str]] = []
    for person, those in zip(people, candidates, strict=True):
        if len(those) > 1:
            several = ", ".join(sorted(those))
            problems.append(
                (
                    person,
                    (
                        f"the gradebook has several students for {person.label}: {several}. "
                        f"{MEND_BOOK}"
                    ),
                )
            )
            continue
        student = next(iter(those), "") or person.student or _new_student(person, fallback)
        if problem := _bad_id(student):
            problems.append((person, problem))
        elif not those and student in students:
            other = students[student].label
            problems.append(
                (person, f"{student} is somebody else in the gradebook: {other}. {MEND_BOOK}")
            )
        else:
            found.append((person, student))
    counts = Counter(student for _, student in found)
    problems += [
        (person, f"several rows here are {student} in the gradebook. {MEND_BOOK}")
        for person, student in found
        if counts[student] > 1
    ]
    named = tuple(
        person.with_ids(student=student) for person, student in found if counts[student] == 1
    )
    return NamedPeople(
        named, frozenset(person.student for person in named) - students.keys(), tuple(problems)
    )


def _key_kind(people: tuple[Person, ...], students: Mapping[str, Person]) -> str:
    """Return which kind of id the gradebook uses for students: that which agrees most often."""
    if any(person.student for person in people):
        return "student"
    folded = {id_key("login", student) for student in students}
    hits = {
        kind: sum(
            id_key("login", person.ids[kind]) in folded for person in people if kind in person.ids
        )
        for kind in HANDLES
    }
    best = max(hits, key=lambda kind: hits[kind])
    return best if hits[best] else ""


def _candidates(person: Person, key: str, known: Register) -> set[str]:
    """Return the students of the gradebook whom the ids of this person mean."""
    by_key = known.with_id("login", person.ids[key]) if key in person.ids else []
    by_mail = known.with_id("email", person.ids["email"]) if "email" in person.ids else []
    numbers = [
        person.ids[kind]
        for kind in (*PLATFORM, "sid", "idnumber", "username")
        if kind in person.ids
    ]
    by_lms = [
        one
        for number in numbers
        for one in known.with_id("lms", number)
        if not _unlike_names(person, one)
    ]
    return {one.student for one in (*by_key, *by_mail, *by_lms)}


def _by_name(person: Person, known: Register) -> set[str]:
    return {
        one.student
        for one in known.named(person)
        if "email" not in one.ids or "email" not in person.ids
    }


def _unlike_names(one: Person, other: Person) -> bool:
    mine, theirs = name_forms(one), name_forms(other)
    return bool(mine and theirs and not mine & theirs)


def _fallback_kind(people: tuple[Person, ...], key: str) -> str:
    """Return the kind of id that becomes the id of students whom the gradebook does not know."""
    if key:
        return key
    for kind in HANDLES:
        values = [id_key(kind, person.ids.get(kind, "")) for person in people]
        if all(values) and len(set(values)) == len(values):
            return kind
    return ""


def _new_student(person: Person, kind: str) -> str:
    if kind and person.ids.get(kind):
        return person.ids[kind]
    return next(
        (
            f"{each}_{person.ids[each]}"
            for each in ("canvas", "participant", "anonymous")
            if person.ids.get(each)
        ),
        "",
    )


def _bad_id(student: str) -> str:
    if not student:
        return (
            "there is nothing in this row to name the student by. Add a column student_id to the "
            "roster."
        )
    if (
        student.startswith(".")
        or re.search(r"[/\\\x00-\x1f\x7f]", student)
        or len(student.encode()) > 128
        or student.strip() != student
    ):
        return (
            f"{student!r} cannot be a student's id, for it cannot be the name of a folder. Add a "
            "column student_id to the roster."
        )
    return ""
