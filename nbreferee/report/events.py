"""What happened to submissions: lateness, repairs, timeouts, faults of tests, one process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from nbreferee.grading.calibration import FAULT
from nbreferee.grading.marks import span_text
from nbreferee.pages.templating import number
from nbreferee.report.classroom import AssignmentResults
from nbreferee.report.records import Record


@dataclass(frozen=True)
class Event:
    """Something that happened to some students."""

    text: str
    students: Sequence[tuple[str, str]]  # each with words of her own, or ''


def events_of(results: AssignmentResults, records: Mapping[tuple[str, str], Record]) -> list[Event]:
    """Return what happened in an assignment, each kind of thing once."""
    found = [*_late(results), *_repairs(records), *_by_cell(records)]
    return [one for one in found if one.students]


def _late(results: AssignmentResults) -> list[Event]:
    late = []
    for student, one in results.marks.submissions.items():
        if one.late > timedelta(0):
            penalty = f", {number(one.penalty)} points off" if one.penalty else ""
            late.append((student, f"{span_text(one.late)} late{penalty}"))
    return [Event("Handed in late", late)]


def _repairs(records: Mapping[tuple[str, str], Record]) -> list[Event]:
    repaired = [
        (student, f"{notebook}: {'; '.join(record.repairs)}")
        for (student, notebook), record in records.items()
        if record.repairs
    ]
    return [Event("Files that were repaired before they were graded", repaired)]


def _by_cell(records: Mapping[tuple[str, str], Record]) -> list[Event]:
    """Return faults of tests, timeouts, what is left to a person, and tests in one process."""
    events: dict[tuple[int, str], list[tuple[str, str]]] = defaultdict(list)
    for (student, notebook), record in records.items():
        for name, verdict in record.verdicts.items():
            where = f"{notebook}, cell {name}"
            if verdict.status == "timeout":
                events[1, f"{where}: out of time"].append((student, ""))
            if verdict.is_unsure and FAULT in verdict.message:
                why = verdict.message[verdict.message.index(FAULT) + len(FAULT) :].lstrip(": ")
                text = f"{where}: its test has a fault, so a person marks it: {why}"
                events[0, text].append((student, ""))
            elif verdict.is_unsure:
                text = f"{where}: the grader was not sure, so a person decides"
                events[2, text].append((student, verdict.message))
            if verdict.in_one_process:
                text = f"{where}: test and answers ran in one process (nbreferee verify says why)"
                events[3, text].append((student, ""))
    return [Event(text, students) for (_, text), students in sorted(events.items())]
