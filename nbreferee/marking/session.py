"""Marking an assignment: who is left, what is entered, and how none of it is lost."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from nbreferee.marking.answers import AnswerReader
from nbreferee.marking.entries import Entered, Entry, OpenAnswer, Seen
from nbreferee.marking.marks import (
    LOCKED,
    GradebookLockedError,
    MarkTable,
    StoredMark,
    digest_of,
)
from nbreferee.marking.notes import AnswerKey, AnswerNote, Draft, MarkingNotes
from nbreferee.marking.questions import Question
from nbreferee.pages.templating import number

LEFT, MARKED, CHANGED = "left", "marked", "changed since it was marked"
COMMENT_CHARACTERS = 20_000
EARLIER = 9  # comments that are offered for another use
ELSEWHERE = (
    "This answer was marked elsewhere meanwhile: {}. "
    "What you entered stands here and is not written. Write yours over it, or load the other."
)

REPLACED = (
    "The student has handed in another answer meanwhile, and it has been graded. What you entered "
    "stands here and is not written. Load the new answer, or write yours all the same."
)


class MarkError(Exception):
    """A mark that cannot be written; the text says why."""


class MarkedElsewhereError(MarkError):
    """There is another mark, or another answer, than the marker has seen."""


class Marking:
    """The marking of one assignment."""

    def __init__(
        self,
        table: MarkTable,
        notes: MarkingNotes,
        reader: AnswerReader,
        assignment: str,
        questions: Sequence[Question],
        with_names: bool = False,
    ) -> None:
        self._table = table
        self._notes = notes
        self._reader = reader
        self._known: dict[str, Entry] = {}
        self.assignment = assignment
        self.with_names = with_names
        self.has_drafts = True  # of an earlier run, perhaps
        every = {question: table.marks(question.cell) for question in questions}
        self.questions = tuple(question for question in questions if _is_marked(question, every))

    # ------------------------------------------------ what there is

    def queue(self, question: Question) -> list[Entry]:
        """Return the answers to a question, by name or in an order that does not tell the names."""
        marks = self._table.marks(question.cell).values()
        wanted = marks if question.cell.kind != "test" else filter(_needs_a_person, marks)
        entries = [
            Entry(self._id(question, mark.student), mark, self._state(question, mark))
            for mark in wanted
        ]
        self._known |= {one.id: one for one in entries}
        return sorted(entries, key=lambda one: one.mark.student if self.with_names else one.id)

    def find(self, question: Question, entry_id: str) -> Entry | None:
        """Return an answer by its id; as it was last seen, where the gradebook is locked."""
        try:
            return next((one for one in self.queue(question) if one.id == entry_id), None)
        except GradebookLockedError:
            if entry_id in self._known:
                return self._known[entry_id]
            raise

    def _id(self, question: Question, student: str) -> str:
        parts = (self.assignment, question.cell.notebook, question.cell.name, student)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:12]

    def _state(self, question: Question, mark: StoredMark) -> str:
        if mark.is_undecided:
            return LEFT
        if mark.score is None or not mark.is_flagged:
            return MARKED
        kept = self._notes.answer(self._key(question, mark.student)).digest
        is_same = kept and kept == self._reader.digest(question, mark.student)
        return MARKED if is_same else CHANGED

    def _key(self, question: Question, student: str) -> AnswerKey:
        return AnswerKey(self.assignment, question.cell.notebook, question.cell.name, student)

    def answer(self, question: Question, entry: Entry) -> str:
        """Return a digest of what the student has written."""
        return self._reader.digest(question, entry.mark.student)

    def open(self, question: Question, entry: Entry) -> OpenAnswer:
        """Return an answer with what has been entered for it."""
        mark, kept = entry.mark, self._notes.answer(self._key(question, entry.mark.student))
        entered, notes = self._entered(question, mark, kept)
        answer = self.answer(question, entry)  # before it is read: never too new
        return OpenAnswer(
            entry,
            self._reader.shown(question, mark),
            entered,
            self._earlier(question, entered.comment),
            notes,
            answer,
        )

    def _entered(
        self, question: Question, mark: StoredMark, kept: AnswerNote
    ) -> tuple[Entered, tuple[str, ...]]:
        notes = []
        score, comment = mark.score, mark.comment
        draft = kept.draft
        if draft is not None and digest_of(draft.score, draft.comment) != mark.digest:
            if draft.seen == mark.digest:
                score, comment = draft.score, draft.comment
                notes.append(LOCKED)
            else:
                words = f" with the comment “{draft.comment}”" if draft.comment else ""
                notes.append(
                    f"{_words(draft.score)}{words} was entered here while the gradebook was "
                    "locked, and is not written: the answer was marked elsewhere meanwhile."
                )
        ticked = () if score is None else kept.steps  # no score: not marked
        steps = ticked if kept.scheme == _scheme_digest(question) else ()
        if ticked and not steps:
            notes.append(
                "The marking scheme has changed since: the boxes that were ticked are empty again."
            )
        if steps and score is not None and kept.score != score:
            notes.append(
                f"The score was changed elsewhere, to {number(score)}; "
                "the boxes are as they were ticked here."
            )
        return Entered(score, comment, steps), tuple(notes)

    def _earlier(self, question: Question, own: str) -> tuple[str, ...]:
        """Return the comments on other answers, those given most often first."""
        counts = Counter(
            mark.comment for mark in self._table.marks(question.cell).values() if mark.comment
        )
        ordered = sorted(counts, key=lambda text: (-counts[text], text))
        return tuple(text for text in ordered if text != own)[:EARLIER]

    # ------------------------------------------------ what is entered

    def save(self, question: Question, entry: Entry, new: Entered, seen: Seen) -> Entered:
        """Write a mark, and return what stands there now.

        Parameters
        ----------
        seen : what the marker was shown

        Raises
        ------
        MarkedElsewhereError
            if another mark or another answer stands there.
        MarkError
            if this is no mark.
        GradebookLockedError
            if the gradebook is in use; the mark is kept, and written by `write_drafts`.
        """
        new = _checked(question, new)
        key = self._key(question, entry.mark.student)
        kept = self._notes.answer(key)
        now, _ = self._entered(question, entry.mark, kept)
        answer = self.answer(question, entry)
        if not seen.is_forced and seen.mark not in (now.digest, new.digest) and now != new:
            raise MarkedElsewhereError(ELSEWHERE.format(_told(now)))
        if not seen.is_forced and seen.answer != answer:
            raise MarkedElsewhereError(REPLACED)
        note = AnswerNote(
            new.steps,
            _scheme_digest(question),
            new.score,
            answer,
            Draft(new.score, new.comment, entry.mark.digest),
        )
        self._notes.keep(key, note)  # first: whatever happens now, it is not lost
        self.has_drafts = True
        other = self._table.write(
            question.cell, entry.mark.student, new.score, new.comment, entry.mark.digest
        )
        if other is not None:  # in the last moment
            self._notes.keep(key, kept)
            raise MarkedElsewhereError(ELSEWHERE.format(_told(Entered(other.score, other.comment))))
        self._notes.keep(key, replace(note, draft=None))
        return new

    def write_drafts(self) -> None:
        """Write what could not be written while the gradebook was locked."""
        if not self.has_drafts:
            return
        questions = {(one.cell.notebook, one.cell.name): one for one in self.questions}
        for key, note in self._notes.answers(self.assignment).items():
            question = questions.get((key.notebook, key.cell))
            if note.draft is None or question is None:
                continue
            mark = self._table.mark(question.cell, key.student)
            if mark is not None and mark.digest == note.draft.seen:
                draft, now = note.draft, self._reader.digest(question, key.student)
                self._table.write(
                    question.cell,
                    key.student,
                    draft.score,
                    draft.comment,
                    draft.seen,
                    is_flagged=now != note.digest,  # the answer has changed since
                )
                self._notes.keep(key, replace(note, draft=None))
        self.has_drafts = False


def _is_marked(question: Question, marks: dict[Question, dict[str, StoredMark]]) -> bool:
    """Return whether a person marks a cell: a written answer, or a test left to a person."""
    if question.cell.kind != "test":
        return True
    return any(map(_needs_a_person, marks[question].values()))


def _needs_a_person(mark: StoredMark) -> bool:
    return mark.automatic is None or mark.is_flagged or mark.score is not None


def _checked(question: Question, new: Entered) -> Entered:
    points = question.cell.points
    if new.score is not None and not 0 <= new.score <= points:
        raise MarkError(f"A score lies between 0 and {number(points)}. This one is not written.")
    if len(new.comment) > COMMENT_CHARACTERS:
        raise MarkError(
            f"A comment has at most {COMMENT_CHARACTERS:,} characters. It is not written."
        )
    if new.comment and not question.cell.comment_cell_id:
        raise MarkError(
            "This cell takes no comment in nbgrader's gradebook. The comment is not written."
        )
    ticked = () if new.score is None else new.steps
    steps = tuple(sorted({step for step in ticked if 0 <= step < len(question.scheme)}))
    score = None if new.score is None else float(new.score)
    return Entered(score, new.comment.strip(), steps)


def _scheme_digest(question: Question) -> str:
    return digest_of(question.scheme)


def _words(score: float | None) -> str:
    return "No score" if score is None else f"The score {number(score)}"


def _told(one: Entered) -> str:
    words = "no score" if one.score is None else f"the score {number(one.score)}"
    return f"{words}, {f'the comment “{one.comment[:200]}”' if one.comment else 'no comment'}"
