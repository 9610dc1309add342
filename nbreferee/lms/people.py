"""Who is who: students as a roster, the gradebook and a platform's files name them, and how they are matched.

Ids of one kind are compared with each other. Names count only where nothing better is known, and only where
they are unique. Whatever points to two students points to none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

# Kinds of ids, and what a person calls them.
KINDS = {
    "student": "student id",
    "canvas": "Canvas id",
    "participant": "participant number",
    "anonymous": "anonymous id",
    "lms": "lms_user_id",
    "login": "login",
    "username": "user name",
    "sid": "SID",
    "idnumber": "ID number",
    "sis": "SIS user id",
    "email": "e-mail address",
}
HANDLES = ("login", "username", "sid", "idnumber", "sis", "email")  # which may serve as nbgrader's ids, best first
PLATFORM = ("canvas", "participant", "anonymous", "lms")  # a platform's own numbers

MEND_BOOK = "Mend ids, e-mail addresses or lms_user_ids, in the gradebook or the roster."


@dataclass(frozen=True)
class Person:
    """Somebody as one file names them."""

    name: str = ""  # as a person writes it
    first: str = ""
    last: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)  # by kind
    groups: tuple[str, ...] = ()
    where: str = ""  # in which row, for messages

    @property
    def student(self) -> str:
        """nbgrader's id, or nothing."""
        return self.ids.get("student", "")

    @property
    def label(self) -> str:
        """How to name this person to the instructor."""
        best = next((f"{KINDS[kind]} {self.ids[kind]}" for kind in KINDS if self.ids.get(kind)), "")
        shown = self.name or f"{self.first} {self.last}".strip()
        return f"{shown} ({best})" if shown and best else shown or best or self.where

    def with_ids(self, **ids: str) -> Person:
        """Return the same person with more ids."""
        return replace(self, ids={**self.ids, **{kind: value for kind, value in ids.items() if value}})


@dataclass(frozen=True)
class Match:
    """Which person a claim belongs to and by what; or why to none."""

    person: Person | None = None
    how: str = ""
    problem: str = ""


def name_key(name: str) -> tuple[str, ...]:
    """Return the words of a name in no order and no spelling: 'Doe, Jane' and 'jane doe' are alike."""
    words = re.split(r"[^\w]+|_", unicodedata.normalize("NFKC", name).casefold())
    return tuple(sorted(word for word in words if word))


def name_slug(name: str) -> str:
    """Return a name as Canvas writes it into file names: letters and digits alone, in their order."""
    return "".join(character for character in unicodedata.normalize("NFKC", name).casefold() if character.isalnum())


def id_key(kind: str, value: str) -> str:
    """Return an id in the form that is compared."""
    text = unicodedata.normalize("NFC", value.strip())
    return text.casefold() if kind in ("email", "login", "username") else text


class Register:
    """People in whom claims of a platform's files are looked up."""

    def __init__(self, people: Iterable[Person], source: str) -> None:
        self.people = tuple(people)
        self.source = source  # 'roster.csv', 'the gradebook'
        self._by_id: dict[tuple[str, str], list[Person]] = defaultdict(list)
        self._by_name: dict[object, list[Person]] = defaultdict(list)
        self._by_group: dict[tuple[str, ...], list[Person]] = defaultdict(list)
        for person in self.people:
            for kind, value in person.ids.items():
                self._by_id[kind, id_key(kind, value)].append(person)
            for key in _names(person):
                self._by_name[key].append(person)
            for group in person.groups:
                self._by_group[name_key(group)].append(person)

    def knows(self, kinds: Collection[str]) -> bool:
        """Return whether anybody here has an id of one of these kinds."""
        return any(kind in kinds for kind, _ in self._by_id)

    def with_id(self, kind: str, value: str) -> list[Person]:
        """Return the people with this id; a platform's number is also looked up among `lms_user_id`s."""
        kinds = (kind, "lms") if kind in PLATFORM else (kind,)
        return list({id(one): one for each in kinds for one in self._by_id.get((each, id_key(each, value)), ())}.values())

    def members(self, group: str) -> list[Person]:
        """Return the people in a group."""
        return list(self._by_group.get(name_key(group), ()))

    def named(self, person: Person) -> list[Person]:
        """Return the people of this name, as it is written or as Canvas writes it."""
        return list({id(one): one for key in _names(person) for one in self._by_name.get(key, ())}.values())

    def find(self, claim: Person) -> Match:
        """Return the one person that a claim can mean."""
        found: dict[int, Person] = {}
        how: list[str] = []
        for kind, value in claim.ids.items():
            people = self.with_id(kind, value)
            if people:
                how.append(f"{KINDS[kind]} {value}")
                found |= {id(person): person for person in people}
        people = list(found.values())
        if len(people) > 1:
            return Match(problem=f"{' and '.join(how)} belong to several in {self.source}: {_labels(people)}. Mend the roster.")
        if people:
            return self._confirmed(claim, people[0], how)
        return self._by_names(claim)

    def _confirmed(self, claim: Person, person: Person, how: list[str]) -> Match:
        unlike = [kind for kind, value in claim.ids.items() if kind in person.ids and not _same(kind, value, person)]
        if unlike:
            kind = unlike[0]
            return Match(
                problem=f"by {how[0]} this is {person.label}, but the {KINDS[kind]} is {claim.ids[kind]} here and "
                f"{person.ids[kind]} in {self.source}. Mend the roster."
            )
        return Match(person, " and ".join(how))

    def _by_names(self, claim: Person) -> Match:
        what = f"{claim.label} is not in {self.source}"
        numbers = [kind for kind in claim.ids if kind in PLATFORM]
        if numbers and self.knows([*numbers, "lms"]):  # others here have such numbers: a name cannot make up for one
            return Match(problem=f"{what}.")
        people = [one for one in self.named(claim) if all(kind not in one.ids or _same(kind, value, one) for kind, value in claim.ids.items())]
        if len(people) > 1:
            return Match(problem=f"{len(people)} students have this name: {_labels(people)}. Give a roster with the platform's ids.")
        if people:
            return Match(people[0], "name")
        return Match(problem=f"{what}.")


def _same(kind: str, value: str, person: Person) -> bool:
    return id_key(kind, value) == id_key(kind, person.ids[kind])


def _labels(people: Iterable[Person]) -> str:
    return ", ".join(person.label for person in people)


def _has_name(person: Person) -> bool:
    return bool(person.name or person.first or person.last)


def _names(person: Person) -> set[object]:
    """Return the forms in which a name is looked up: its words, and what Canvas makes of them."""
    whole = [person.name] if person.name else []
    whole += [f"{person.last}, {person.first}"] if person.first or person.last else []
    if not (person.first or person.last):  # nobody knows which words are the last name
        words = person.name.split()
        whole += [" ".join(words[number:] + words[:number]) for number in range(1, len(words))]
    return {key for name in whole for key in (name_key(name), name_slug(name)) if key}


@dataclass(frozen=True)
class Named:
    """People of a file with the ids of nbgrader's students, and those who could not be told."""

    people: tuple[Person, ...]  # each with a student's id
    new: frozenset[str]  # ids of those whom the gradebook does not know
    problems: tuple[tuple[Person, str], ...]


def name_students(people: Iterable[Person], gradebook: Iterable[Person]) -> Named:
    """Give each person of a roster the id of a student in the gradebook, or one that is new there."""
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
            problems.append((person, f"the gradebook has several students for {person.label}: {several}. {MEND_BOOK}"))
            continue
        student = next(iter(those), "") or person.student or _new_student(person, fallback)
        if problem := _bad_id(student):
            problems.append((person, problem))
        elif not those and student in students:
            other = students[student].label
            problems.append((person, f"{student} is somebody else in the gradebook: {other}. {MEND_BOOK}"))
        else:
            found.append((person, student))
    counts = Counter(student for _, student in found)
    problems += [(person, f"several rows here are {student} in the gradebook. {MEND_BOOK}") for person, student in found if counts[student] > 1]
    named = tuple(person.with_ids(student=student) for person, student in found if counts[student] == 1)
    return Named(named, frozenset(person.student for person in named) - students.keys(), tuple(problems))


def _key_kind(people: tuple[Person, ...], students: Mapping[str, Person]) -> str:
    """Return which kind of id the gradebook uses for students: that which agrees most often."""
    if any(person.student for person in people):
        return "student"
    folded = {id_key("login", student) for student in students}
    hits = {kind: sum(id_key("login", person.ids[kind]) in folded for person in people if kind in person.ids) for kind in HANDLES}
    best = max(hits, key=lambda kind: hits[kind])
    return best if hits[best] else ""


def _candidates(person: Person, key: str, known: Register) -> set[str]:
    """Return the students of the gradebook whom the ids of this person mean."""
    by_key = known.with_id("login", person.ids[key]) if key in person.ids else []
    by_mail = known.with_id("email", person.ids["email"]) if "email" in person.ids else []
    numbers = [person.ids[kind] for kind in (*PLATFORM, "sid", "idnumber", "username") if kind in person.ids]
    by_lms = [one for number in numbers for one in known.with_id("lms", number) if not _unlike_names(person, one)]
    return {one.student for one in (*by_key, *by_mail, *by_lms)}


def _by_name(person: Person, known: Register) -> set[str]:
    return {one.student for one in known.named(person) if "email" not in one.ids or "email" not in person.ids}


def _unlike_names(one: Person, other: Person) -> bool:
    return _has_name(one) and _has_name(other) and not _names(one) & _names(other)


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
    return next((f"{each}_{person.ids[each]}" for each in ("canvas", "participant", "anonymous") if person.ids.get(each)), "")


def _bad_id(student: str) -> str:
    if not student:
        return "there is nothing in this row to name the student by. Add a column student_id to the roster."
    if student.startswith(".") or re.search(r"[/\\\x00-\x1f\x7f]", student) or len(student.encode()) > 128 or student.strip() != student:
        return f"{student!r} cannot be a student's id, for it cannot be the name of a folder. Add a column student_id to the roster."
    return ""
