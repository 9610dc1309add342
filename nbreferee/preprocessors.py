"""Preprocessors that make the stock commands, and the Formgrader's buttons, grade and write pages
as nbreferee does.

    c.Autograde.sanitize_preprocessors = ["nbreferee.preprocessors.RebuildSubmission"]
    c.Autograde.autograde_preprocessors = ["nbreferee.preprocessors.GradeSubmission",
    "nbreferee.preprocessors.SaveGrades", AssignLatePenalties]

    c.GenerateFeedback.preprocessors = [GetGrades, CSSHTMLHeaderPreprocessor,
    "nbreferee.preprocessors.PreparePage"]

The first puts what was handed in into the master's places; the second runs it in a box, and its
tests in a tester. What nbgrader then reads from the cells' outputs are our verdicts. The third
writes the page itself, as `nbreferee feedback` does.
"""

from __future__ import annotations

import copy
import sys
import weakref
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import List

from nbreferee.course.locate import NEEDS_LINUX, CourseError, gradebook_writer

if TYPE_CHECKING:
    from nbreferee.grading.notebook import Grader, NotebookMaterial
    from nbreferee.submission.folder import SubmissionFolder


@dataclass
class _Run:
    """What all notebooks of one `nbgrader autograde` share."""

    grader: Grader
    materials: dict[str, dict[str, NotebookMaterial]]
    # what was handed in, by the names of a notebook, until it is graded
    submissions: dict[tuple[str, str, str], tuple[bytes, SubmissionFolder]] = field(
        default_factory=dict
    )


PAGE = "nbreferee_page"  # among nbconvert's resources

# By nbgrader's converter, which lives as long as a run; the warm processes end with it.
_RUNS: weakref.WeakKeyDictionary[Any, _Run] = weakref.WeakKeyDictionary()


def _names(resources: dict[str, Any]) -> tuple[str, str, str]:
    names = resources["nbgrader"]
    return names["student"], names["assignment"], names["notebook"]


class _Preprocessor(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    # nbconvert sets it for every preprocessor, and logs a warning where it is no setting.
    display_data_priority = List(NbGraderPreprocessor.display_data_priority.default()).tag(
        config=True
    )

    @property
    def _converter(self) -> Any:
        return self.parent.parent

    def _run(self) -> _Run:
        converter = self._converter
        if converter not in _RUNS:
            if sys.platform != "linux":
                sys.exit(f"nbreferee: {NEEDS_LINUX.format('student code runs in a sandbox')}")
            from nbreferee.course.settings import NbReferee, SandboxError
            from nbreferee.engine.processes import WarmProcesses
            from nbreferee.grading.notebook import Grader

            try:
                warm = WarmProcesses(NbReferee(parent=self).budget())
            except (
                SandboxError
            ) as error:  # an exit, for nbgrader would print a traceback for every student
                sys.exit(f"nbreferee: {error}")
            _RUNS[converter] = _Run(Grader(warm), {})
            weakref.finalize(converter, warm.close)
        return _RUNS[converter]

    def _material(self, resources: dict[Any, Any]) -> NotebookMaterial:
        assignment, notebook = (
            resources["nbgrader"]["assignment"],
            resources["nbgrader"]["notebook"],
        )
        materials = self._run().materials
        if assignment not in materials:
            from nbreferee.grading.materials import read_materials

            course = self._converter.coursedir
            try:
                with gradebook_writer(course) as gradebook:
                    materials[assignment] = read_materials(
                        course, gradebook, assignment, self.config
                    )
            except CourseError as error:
                sys.exit(f"nbreferee: {error}")
        return materials[assignment][notebook]

    def _read(self, resources: dict[Any, Any]) -> tuple[bytes, SubmissionFolder]:
        """Return the bytes of the notebook, and all of its folder; what cannot be read is
        logged.
        """
        from nbreferee.submission.folder import notes_on, read_folder
        from nbreferee.submission.reading import SubmissionError

        ours = self._material(resources).files
        found = read_folder(
            Path(resources["metadata"]["path"]), self._converter.coursedir.ignore, ours.outranks
        )
        path = f"{resources['metadata']['name']}.ipynb"
        for note in notes_on(found, [resources["metadata"]["name"]]):
            self.log.warning("%s: %s", resources["nbgrader"]["student"], note)
        if path not in found.notebooks:
            raise SubmissionError(
                f"{path} cannot be read: {found.unread.get(path, 'it is not there')}"
            )
        return found.notebooks[path], found


class RebuildSubmission(_Preprocessor):
    """Puts what was handed in into the master's places."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[Any, Any]
    ) -> tuple[NotebookNode, dict[Any, Any]]:
        """Return the submission rebuilt from the master; the notebook as nbgrader has read it is
        not used.
        """
        material = self._material(resources)
        from nbreferee.pages.sanitize import sanitize
        from nbreferee.submission.rebuild import rebuild

        data, found = self._read(resources)
        self._run().submissions[_names(resources)] = data, found
        rebuilt = rebuild(material.originals, data)
        for repair in rebuilt.repairs + sanitize(rebuilt.notebook, material.texts):
            self.log.warning("%s: %s", resources["nbgrader"]["student"], repair)
        return rebuilt.notebook, resources


class GradeSubmission(_Preprocessor):
    """Runs a rebuilt submission in a box, and its tests in a tester."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[Any, Any]
    ) -> tuple[NotebookNode, dict[Any, Any]]:
        """Return the notebook with all its outputs, from which nbgrader reads the scores."""
        from nbreferee.grading.task import as_metadata

        # the notebook that nbgrader has written in between is rebuilt, and no longer says from what
        handed_in = self._run().submissions.pop(_names(resources), None)
        data, found = handed_in or self._read(resources)
        graded = self._run().grader.grade(self._material(resources), data, found.files)
        for warning in graded.result.warnings:
            self.log.warning("Look at this test: %s", warning)
        if any(cell.is_unsure for cell in graded.cells) and not any(
            "SaveGrades" in str(one) for one in self._converter.autograde_preprocessors
        ):
            self.log.warning(
                "Cells that are left to a person get 0: name nbreferee.preprocessors.SaveGrades "
                "for SaveAutoGrades in nbgrader_config.py"
            )
        graded.notebook.metadata["nbreferee"] = as_metadata(replace(graded, regrading=None))
        return graded.notebook, resources


class SaveGrades(SaveAutoGrades):  # type: ignore[misc]  # nbgrader has no types
    """Saves scores as nbgrader does; a test cell that is left to a person gets none, and needs
    manual grading.
    """

    def _add_score(self, cell: NotebookNode, resources: dict[Any, Any]) -> None:
        from nbreferee.grading.calibration import MANUAL

        super()._add_score(cell, resources)
        if any(
            output.get("ename") == MANUAL for output in cell.get("outputs", ())
        ) and not cell.metadata.nbgrader.get("solution"):
            grade = self.gradebook.find_grade(
                cell.metadata.nbgrader.grade_id,
                self.notebook_id,
                self.assignment_id,
                self.student_id,
            )
            grade.auto_score, grade.needs_manual_grade = None, True
            self.gradebook.db.commit()


class PreparePage(_Preprocessor):
    """Writes the page of `nbreferee feedback` in the place of nbgrader's.

    It comes last, after nbgrader's GetGrades and nbconvert's CSSHTMLHeaderPreprocessor.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[Any, Any]
    ) -> tuple[NotebookNode, dict[Any, Any]]:
        """Return the notebook without what students must not read, and resources with the page."""
        from nbreferee.course.nbgrader_settings import read_rules
        from nbreferee.grading.marks import MarkReader
        from nbreferee.grading.pictures import embed_pictures
        from nbreferee.pages.hidden import hide_tests
        from nbreferee.pages.page import render
        from nbreferee.pages.sanitize import sanitize

        names, course = resources["nbgrader"], self._converter.coursedir
        config = copy.deepcopy(self.config)
        config.pop("NbConvertBase", None)  # nbconvert's own, of which each preprocessor would warn
        delimiters = read_rules(config).delimiters
        executed = Path(resources["metadata"]["path"]) / f"{resources['metadata']['name']}.ipynb"
        with gradebook_writer(course) as gradebook:
            reader = MarkReader(course, gradebook, names["assignment"], delimiters)
            contents = reader.graded(names["student"], names["notebook"], executed)
        resources[PAGE] = embed_pictures(render(contents), executed.parent, course.include).decode()
        self.parent.raw_template = f"{{{{ resources.{PAGE} }}}}"
        sanitize(nb, contents.instructors_texts)
        hide_tests(nb, delimiters)
        return nb, resources
