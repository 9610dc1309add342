"""Who is who: students as a roster, the gradebook and a platform's files name them, and how they
are matched.

Ids of one kind are compared with each other. Names count only where nothing better is known, and
only where they are unique. Whatever points to two students points to none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
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
HANDLES = (
    "login",
    "username",
    "sid",
    "idnumber",
    "sis",
    "email",
)  # which may serve as nbgrader's ids, best first
PLATFORM = ("canvas", "participant", "anonymous", "lms")  # a platform's own numbers


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
        return replace(
            self, ids={**self.ids, **{kind: value for kind, value in ids.items() if value}}
        )


@dataclass(frozen=True)
class Match:
    """Which person a claim belongs to and by what; or why to none."""

    person: Person | None = None
    how: str = ""
    problem: str = ""


def name_key(name: str) -> tuple[str, ...]:
    """Return the words of a name in no order and no spelling: 'Doe, Jane' and 'jane doe' are
    alike.
    """
    words = re.split(r"[^\w]+|_", unicodedata.normalize("NFKC", name).casefold())
    return tuple(sorted(word for word in words if word))


def name_slug(name: str) -> str:
    """Return a name as Canvas writes it into file names: letters and digits alone, in their
    order.
    """
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", name).casefold()
        if character.isalnum()
    )


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
            for key in name_forms(person):
                self._by_name[key].append(person)
            for group in person.groups:
                self._by_group[name_key(group)].append(person)

    def knows(self, kinds: Collection[str]) -> bool:
        """Return whether anybody here has an id of one of these kinds."""
        return any(kind in kinds for kind, _ in self._by_id)

    def with_id(self, kind: str, value: str) -> list[Person]:
        """Return the people with this id; a platform's number is also looked up among
        `lms_user_id`s.
        """
        kinds = (kind, "lms") if kind in PLATFORM else (kind,)
        return list(
            {
                id(one): one
                for each in kinds
                for one in self._by_id.get((each, id_key(each, value)), ())
            }.values()
        )

    def members(self, group: str) -> list[Person]:
        """Return the people in a group."""
        return list(self._by_group.get(name_key(group), ()))

    def named(self, person: Person) -> list[Person]:
        """Return the people of this name, as it is written or as Canvas writes it."""
        return list(
            {
                id(one): one for key in name_forms(person) for one in self._by_name.get(key, ())
            }.values()
        )

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
            return Match(
                problem=f"{' and '.join(how)} belong to several in {self.source}: "
                f"{_labels(people)}. Mend the roster."
            )
        if people:
            return self._confirmed(claim, people[0], how)
        return self._by_names(claim)

    def _confirmed(self, claim: Person, person: Person, how: list[str]) -> Match:
        unlike = [
            kind
            for kind, value in claim.ids.items()
            if kind in person.ids and not same_id(kind, value, person)
        ]
        if unlike:
            kind = unlike[0]
            return Match(
                problem=f"by {how[0]} this is {person.label}, but the {KINDS[kind]} is "
                f"{claim.ids[kind]} here and {person.ids[kind]} in {self.source}. Mend the roster."
            )
        return Match(person, " and ".join(how))

    def _by_names(self, claim: Person) -> Match:
        what = f"{claim.label} is not in {self.source}"
        numbers = [kind for kind in claim.ids if kind in PLATFORM]
        if numbers and self.knows(
            [*numbers, "lms"]
        ):  # others here have such numbers: a name cannot make up for one
            return Match(problem=f"{what}.")
        people = [
            one
            for one in self.named(claim)
            if all(
                kind not in one.ids or same_id(kind, value, one)
                for kind, value in claim.ids.items()
            )
        ]
        if len(people) > 1:
            return Match(
                problem=f"{len(people)} students have this name: {_labels(people)}. Give a roster "
                "with the platform's ids."
            )
        if people:
            return Match(people[0], "name")
        return Match(problem=f"{what}.")


def same_id(kind: str, value: str, person: Person) -> bool:
    """Return whether a person has this id."""
    return id_key(kind, value) == id_key(kind, person.ids[kind])


def _labels(people: Iterable[Person]) -> str:
    return ", ".join(person.label for person in people)


def name_forms(person: Person) -> set[object]:
    """Return the forms in which a name is looked up: its words, and what Canvas makes of them."""
    whole = [person.name] if person.name else []
    whole += [f"{person.last}, {person.first}"] if person.first or person.last else []
    if not (person.first or person.last):  # nobody knows which words are the last name
        words = person.name.split()
        whole += [" ".join(words[number:] + words[:number]) for number in range(1, len(words))]
    return {key for name in whole for key in (name_key(name), name_slug(name)) if key}
