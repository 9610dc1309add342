"""Whose each submission in a zip is: one student of the roster or the gradebook, or nobody, with
the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from nbreferee.lms.handins import Contents, Handin
from nbreferee.lms.naming import NamedPeople, name_students
from nbreferee.lms.people import Match, Person, Register, name_slug

NEEDS_ROSTER = {
    "canvas": "Give --roster with Canvas's gradebook (Grades > Export).",
    "moodle": "Give --roster with Moodle's grading worksheet of this assignment.",
    "gradescope": "Give --roster with Gradescope's table of scores, or mend its roster.",
    "folders": "Give --roster, or rename the folder.",
}


@dataclass(frozen=True)
class OwnedSubmission:
    """A submission and whose it is."""

    handin: Handin
    person: Person  # with a student's id
    how: str
    is_new: bool = False  # the gradebook does not know this student


@dataclass(frozen=True)
class LeftOut:
    """What is not imported, and why."""

    source: str
    why: str


class Matcher:
    """Finds the owners of submissions."""

    def __init__(
        self, gradebook: list[Person], roster: list[Person] | None, roster_name: str
    ) -> None:
        self._gradebook = gradebook
        self._roster = roster
        self._problems: dict[int, str] = {}
        self._new: frozenset[str] = frozenset()
        if roster is None:
            self.register = Register(gradebook, "the gradebook")
            return
        named = name_students(roster, gradebook)
        unusable = [
            replace(person, ids={k: v for k, v in person.ids.items() if k != "student"})
            for person, _ in named.problems
        ]
        self._problems = {
            id(person): why for person, (_, why) in zip(unusable, named.problems, strict=True)
        }
        self._new = named.new
        self.register = Register([*named.people, *unusable], roster_name)

    @property
    def roster_problems(self) -> list[LeftOut]:
        """People of the roster who cannot be told."""
        return [
            LeftOut(f"{one.where}: {one.label}", self._problems[id(one)])
            for one in self.register.people
            if id(one) in self._problems
        ]

    def owners(self, contents: Contents) -> tuple[list[OwnedSubmission], list[LeftOut]]:
        """Return whose each submission is, and those that are nobody's or two people's."""
        handins = list(contents.handins)
        owned: list[OwnedSubmission] = []
        left: list[LeftOut] = []
        if self._names_itself(contents):
            named = name_students([one.claim for one in _whole(handins)], self._gradebook)
            owned, left = _by_claim(handins, named)
        else:
            for handin in handins:
                mine, why = self._owners_of(handin, contents.platform)
                owned += mine
                left += [LeftOut(handin.source, why)] if why else []
        return _one_each(owned, left)

    def _names_itself(self, contents: Contents) -> bool:
        """Return whether the zip is the only roster there is."""
        if self._roster is not None:
            return False
        if contents.platform in ("gradescope", "folders"):
            return True
        prefix = {"canvas": ("canvas_", "anonymous_"), "moodle": ("participant_",)}[
            contents.platform
        ]
        return all(person.student.startswith(prefix) for person in self._gradebook)

    def _owners_of(self, handin: Handin, platform: str) -> tuple[list[OwnedSubmission], str]:
        if handin.group:
            members = self.register.members(handin.group)
            bad = [self._problems[id(person)] for person in members if id(person) in self._problems]
            return [
                self._owned(handin, person, f"group {handin.group}")
                for person in members
                if id(person) not in self._problems
            ], " ".join(bad)
        claim = handin.claim
        if platform == "folders":  # the folder's name may be any id of the roster
            text = claim.student
            claim = Person(
                text,
                ids=dict.fromkeys(
                    ("student", "login", "username", "sid", "idnumber", "sis", "email"), text
                ),
            )
            people = {
                id(one): one for kind in claim.ids for one in self.register.with_id(kind, text)
            }
            claim = replace(claim, ids={}) if not people else claim
            match = (
                Match(next(iter(people.values())), f"folder {text}")
                if len(people) == 1
                else self.register.find(claim)
            )
        else:
            match = self.register.find(claim)
        person = match.person
        if person is None and handin.anonymous:
            named = name_students([claim], self._gradebook)
            return [
                OwnedSubmission(handin, one, "anonymous", bool(named.new)) for one in named.people
            ], "".join(why for _, why in named.problems)
        if person is None:
            return (
                [],
                f"{match.problem} {NEEDS_ROSTER[platform]}"
                if self._roster is None
                else match.problem,
            )
        if id(person) in self._problems:
            return [], self._problems[id(person)]
        if (
            platform == "moodle"
            and claim.name
            and person.name
            and sorted(name_slug(claim.name)) != sorted(name_slug(person.name))
        ):
            return (
                [],
                (
                    f"{match.how} is {person.label} in {self.register.source}, and {claim.name} "
                    "in the zip. Is it the roster of this assignment?"
                ),
            )
        return [self._owned(handin, person, match.how)], ""

    def _owned(self, handin: Handin, person: Person, how: str) -> OwnedSubmission:
        return OwnedSubmission(handin, person, how, person.student in self._new)


def _whole(handins: Iterable[Handin]) -> list[Handin]:
    return [one for one in handins if not one.group]


def _by_claim(
    handins: list[Handin], named: NamedPeople
) -> tuple[list[OwnedSubmission], list[LeftOut]]:
    """Pair submissions with the students that their own claims have become."""
    students = {_claim_key(person): person for person in named.people}
    problems = {_claim_key(person): why for person, why in named.problems}
    owned, left = [], []
    for handin in handins:
        key = _claim_key(handin.claim)
        if key in students:
            person = students[key]
            owned.append(
                OwnedSubmission(handin, person, "the zip's own id", person.student in named.new)
            )
        else:
            left.append(
                LeftOut(
                    handin.source,
                    problems.get(key, "the zip does not say whose it is. Give --roster."),
                )
            )
    return owned, left


def _claim_key(person: Person) -> tuple[Any, ...]:
    ids = {kind: value for kind, value in person.ids.items() if kind != "student"}
    return (person.name, *sorted(ids.items()))


def _one_each(
    owned: list[OwnedSubmission], left: list[LeftOut]
) -> tuple[list[OwnedSubmission], list[LeftOut]]:
    """Leave out students to whom several submissions would go."""
    by_student: dict[str, list[OwnedSubmission]] = defaultdict(list)
    for one in owned:
        by_student[one.person.student].append(one)
    kept = []
    for student, those in by_student.items():
        if len(those) == 1:
            kept += those
            continue
        sources = ", ".join(one.handin.source for one in those)
        left += [
            LeftOut(
                one.handin.source,
                f"several submissions would be {student}'s: {sources}. Give a roster with the "
                "platform's ids.",
            )
            for one in those
        ]
    return kept, left
