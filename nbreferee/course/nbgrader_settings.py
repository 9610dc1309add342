"""The settings of nbgrader that grading depends on: those that nbreferee honours, and how it names
the others.

`HONOURED` is the list that docs/settings.md prints. A setting of a class that takes part in grading
and is not in that list is named in a warning where a course sets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbgrader import preprocessors
from nbgrader.converters import Autograde, GenerateFeedback
from traitlets import TraitError
from traitlets.config import Config, Configurable
from traitlets.config.loader import LazyConfigValue

from nbreferee.course.locate import CourseError
from nbreferee.course.rules import Delimiters, Rules

HONOURED = {
    "CourseDirectory.course_id": "The course in the gradebook.",
    "CourseDirectory.root": "The course's folder; --course-dir comes first.",
    "CourseDirectory.db_url": (
        "The gradebook. PostgreSQL needs `pip install nbreferee[postgresql]`."
    ),
    "CourseDirectory.directory_structure": (
        "Where each step's folders are, in any order that nbgrader takes."
    ),
    "CourseDirectory.source_directory": "The folder of the instructor's versions.",
    "CourseDirectory.release_directory": "Used by nbgrader alone, which writes it.",
    "CourseDirectory.source_with_tests_directory": "Used by nbgrader alone, which writes it.",
    "CourseDirectory.solution_directory": "Used by nbgrader alone, which writes it.",
    "CourseDirectory.submitted_directory": "The folder of submissions.",
    "CourseDirectory.autograded_directory": "The folder of executed notebooks.",
    "CourseDirectory.feedback_directory": "The folder of pages.",
    "CourseDirectory.student_id": "Only students whose id matches this pattern are graded.",
    "CourseDirectory.student_id_exclude": "These students are not graded.",
    "CourseDirectory.assignment_id": "The assignment to grade where the command names none.",
    "CourseDirectory.groupshared": "Files are written as 664 and folders as g+rws.",
    "CourseDirectory.ignore": (
        "Files and folders that match are never in a notebook's folder, neither the instructor's "
        "nor a student's."
    ),
    "CourseDirectory.include": (
        "The instructor's other files are there for tests and not for students' code."
    ),
    "CourseDirectory.max_file_size": (
        "A student's file that is larger, or larger than 64 MB, is left out, and a note names it. "
        "The instructor's have no limit."
    ),
    "CourseDirectory.max_dir_size": (
        "A student's files beyond this, 64 MB or 500 files are left out, and a note names them. "
        "The instructor's have no limit."
    ),
    "IncludeHeaderFooter.header": (
        "Its cells come first in every notebook: locked ones are the instructor's, graded ones "
        "are graded."
    ),
    "IncludeHeaderFooter.footer": (
        "Its cells come last in every notebook, as those of the header come first."
    ),
    "ClearSolutions.begin_solution_delimeter": "Where a solution begins.",
    "ClearSolutions.end_solution_delimeter": "Where a solution ends.",
    "ClearSolutions.code_stub": "Used by `verify`, and by nbgrader for the release.",
    "ClearSolutions.text_stub": "Used by `verify`, and by nbgrader for the release.",
    "ClearSolutions.enforce_metadata": "If False, a solution may stand in any cell.",
    "ClearHiddenTests.begin_test_delimeter": (
        "Where hidden tests begin: they are in no message and on no page."
    ),
    "ClearHiddenTests.end_test_delimeter": "Where hidden tests end.",
    "ClearHiddenTests.enforce_metadata": "If False, hidden tests may stand in any cell.",
    "ClearMarkScheme.begin_mark_scheme_delimeter": "Where a mark scheme begins: it is on no page.",
    "ClearMarkScheme.end_mark_scheme_delimeter": "Where a mark scheme ends.",
    "ClearMarkScheme.enforce_metadata": "Used by nbgrader alone, for the release.",
    "ClearMarkScheme.check_attachment_leakage": "Used by nbgrader alone, for the release.",
    "InstantiateTests.autotest_delimiter": (
        "Cells with it are taken from the gradebook, as nbgrader released them."
    ),
    "InstantiateTests.autotest_filename": "Used by nbgrader alone, for the release.",
    "InstantiateTests.hashed_delimiter": "Used by nbgrader alone, for the release.",
    "InstantiateTests.use_salt": "Used by nbgrader alone, for the release.",
    "InstantiateTests.enforce_metadata": "Used by nbgrader alone, for the release.",
    "InstantiateTests.comment_strs": "Used by nbgrader alone, for the release.",
    "InstantiateTests.sanitizers": "Used by nbgrader alone, for the release.",
    "Autograde.exclude_overwriting": (
        "The student's files of these names stay; the instructor's are not there."
    ),
    "BaseConverter.permissions": (
        "Of the files in the autograded folder, 444 by default, and of the pages."
    ),
    "Autograde.sanitize_preprocessors": (
        "Only nbgrader's own and nbreferee's: one of the course's own is not run, and a warning "
        "names it."
    ),
    "Autograde.autograde_preprocessors": (
        "Only nbgrader's own and nbreferee's: one of the course's own is not run, and a warning "
        "names it."
    ),
    "GenerateFeedback.preprocessors": (
        "Pages of `nbreferee feedback` are always made in the same way; a warning says if those "
        "of `nbgrader generate_feedback` would hold the hidden tests."
    ),
    "Execute.timeout": (
        "Seconds for one cell, and the most for one call, where c.NbReferee.cell_s is not set; "
        "None or -1: as long as the notebook may take."
    ),
    "Execute.error_on_timeout": "The error that a cell shows when its time is up.",
    "LimitOutput.max_lines": "The most lines that a cell prints; -1: no limit.",
    "LimitOutput.max_traceback": "The most lines of a traceback; -1: no limit.",
    "LimitOutput.enabled": "If False, outputs keep their lines.",
    "IgnorePattern.enabled": "Whether the pattern is used.",
    "IgnorePattern.pattern": (
        "What matches it on stderr is not shown. Nothing on stderr costs points."
    ),
    "AssignLatePenalties.plugin_class": (
        "Whose method gives the penalty, a class of the course's own for example."
    ),
    "AssignLatePenalties.enabled": "If False, there are no penalties.",
    "LateSubmissionPlugin.penalty_method": "none or zero.",
}
NOT_HONOURED = {
    "CourseDirectory.notebook_id": "All notebooks of an assignment are graded.",
    "BaseConverter.exporter_class": "Executed notebooks are always notebooks.",
    "BaseConverter.force": "Give the option --force.",
    "BaseConverter.pre_convert_hook": (
        "No hook is called. Call it before nbreferee, or grade with nbgrader autograde."
    ),
    "BaseConverter.post_convert_hook": (
        "No hook is called. Call it after nbreferee, or grade with nbgrader autograde."
    ),
    "Autograde.create_student": "A student who hands in is always entered in the gradebook.",
    "OverwriteCells.add_missing_cells": (
        "Missing cells are always put back, and the repairs say so."
    ),
    "OverwriteCells.missing_cell_notification": "The repairs say which cell was missing.",
    "Execute.execute_retries": "A notebook is run once; a worker that dies is replaced.",
    "Execute.extra_arguments": "There is no kernel: cells run in a sandboxed process.",
    "Execute.interrupt_on_timeout": "A cell whose time is up is stopped, and the others go on.",
    "Execute.raise_on_iopub_timeout": "There is no kernel to wait for.",
    "GetGrades.display_data_priority": "Pages show what nbconvert shows.",
}
# Classes that take part in `nbgrader autograde` and `generate_feedback`; the settings of others are
# nbgrader's own business.
GRADING = (
    "CourseDirectory",
    "BaseConverter",
    "Autograde",
    "GenerateFeedback",
    "ClearOutput",
    "DeduplicateIds",
    "OverwriteKernelspec",
    "OverwriteCells",
    "CheckCellMetadata",
    "Execute",
    "ExecutePreprocessor",
    "NotebookClient",
    "IgnorePattern",
    "ClearMetadataPreprocessor",
    "LimitOutput",
    "SaveAutoGrades",
    "AssignLatePenalties",
    "LateSubmissionPlugin",
    "GetGrades",
    "IncludeHeaderFooter",
    "ClearSolutions",
    "ClearHiddenTests",
    "ClearMarkScheme",
    "InstantiateTests",
    "NbGraderPreprocessor",
    "Preprocessor",
    "HTMLExporter",
    "NotebookExporter",
    "Exporter",
    "TemplateExporter",
    "FilesWriter",
)
BASES = {
    "ExecutePreprocessor": "Execute",
    "NotebookClient": "Execute",
}  # whose settings hold for the other
OURS = "nbreferee.preprocessors."


def read_rules(config: Config) -> Rules:
    """Return what a configuration says about the notebooks of a course.

    Raises
    ------
    CourseError
        if a setting has a value that it cannot have.
    """
    solutions, hidden = (
        configured(preprocessors.ClearSolutions, config),
        configured(preprocessors.ClearHiddenTests, config),
    )
    scheme, tests = (
        configured(preprocessors.ClearMarkScheme, config),
        configured(preprocessors.InstantiateTests, config),
    )
    limit, ignored = (
        configured(preprocessors.LimitOutput, config),
        configured(preprocessors.IgnorePattern, config),
    )
    return Rules(
        delimiters=Delimiters(
            solution=(solutions.begin_solution_delimeter, solutions.end_solution_delimeter),
            hidden=(hidden.begin_test_delimeter, hidden.end_test_delimeter),
            scheme=(scheme.begin_mark_scheme_delimeter, scheme.end_mark_scheme_delimeter),
            autotest=tests.autotest_delimiter,
            enforced=solutions.enforce_metadata and hidden.enforce_metadata,
        ),
        output_lines=limit.max_lines if limit.enabled else -1,
        traceback_lines=limit.max_traceback if limit.enabled else -1,
        ignored_stderr=ignored.pattern if ignored.enabled else "",
        timeout_error=dict(configured(preprocessors.Execute, config).error_on_timeout)
        if is_set(config, "Execute.error_on_timeout")
        else {},
    )


def cell_timeout_s(config: Config) -> float | None:
    """Return the seconds that a course gives a cell; infinity for no limit, None where it says
    nothing.
    """
    if not is_set(config, "Execute.timeout"):
        return None
    seconds = configured(preprocessors.Execute, config).timeout
    return float("inf") if seconds is None or seconds < 0 else float(seconds)


def excluded_files(config: Config, assignment: str) -> frozenset[str]:
    """Return the names of files that are a student's even if the instructor has them."""
    return frozenset(_converter(Autograde, config).exclude_overwriting.get(assignment, ()))


def has_late_penalties(config: Config) -> bool:
    """Return whether nbgrader would call the plugin for late submissions."""
    names = {_name(one) for one in _converter(Autograde, config).autograde_preprocessors}
    listed = any(name.rpartition(".")[2] == "AssignLatePenalties" for name in names)
    return listed and configured(preprocessors.AssignLatePenalties, config).enabled


def warnings_about(config: Config) -> list[str]:
    """Return a sentence for each setting of nbgrader that a course has set and nbreferee does not
    honour.
    """
    unused = [
        f"c.{section}.{name} is set, and nbreferee does not use it (docs/settings.md)."
        for section in GRADING
        for name in (sorted(config[section]) if section in config else ())
        if not _is_honoured(section, name) and not isinstance(config[section][name], Config)
    ]
    return [*unused, *_own_preprocessors(config), *_pages_with_hidden_tests(config)]


def _is_honoured(section: str, name: str) -> bool:
    sections = {
        BASES.get(section, section),
        "BaseConverter" if section in ("Autograde", "GenerateFeedback") else section,
    }
    return any(f"{one}.{name}" in HONOURED for one in sections)


def _own_preprocessors(config: Config) -> Iterator[str]:
    autograde = _converter(Autograde, config)
    for setting in ("sanitize_preprocessors", "autograde_preprocessors"):
        known = {_name(one) for one in getattr(Autograde, setting).default()}
        for name in map(_name, getattr(autograde, setting)):
            last = name.rpartition(".")[2]
            if name not in known and not name.startswith(OURS) and not hasattr(preprocessors, last):
                yield (
                    f"c.Autograde.{setting} names {last}, which nbreferee does not run. Grade "
                    "with nbgrader autograde if you need it (docs/settings.md)."
                )


def _pages_with_hidden_tests(config: Config) -> Iterator[str]:
    """Yield a warning where nbgrader grades as nbreferee does, and its pages would not be made as
    nbreferee makes them.
    """
    autograde = _converter(Autograde, config)
    if not any(
        _name(one).startswith(OURS)
        for one in [*autograde.sanitize_preprocessors, *autograde.autograde_preprocessors]
    ):
        return
    named = (
        config.GenerateFeedback.preprocessors
        if is_set(config, "GenerateFeedback.preprocessors")
        else []
    )
    named = named.get_value([]) if isinstance(named, LazyConfigValue) else named
    if f"{OURS}PreparePage" not in map(_name, named):
        yield (
            f"c.GenerateFeedback.preprocessors does not name {OURS}PreparePage: pages by nbgrader "
            "generate_feedback, or by the Formgrader's button, would hold the hidden tests. Add "
            "it (docs/own-course.md), or write pages with nbreferee feedback."
        )


def configured(kind: type[Configurable], config: Config, **options: Any) -> Any:
    """Return an object of a class of nbgrader's with its settings.

    Raises
    ------
    CourseError
        if a setting has a value that it cannot have.
    """
    try:
        return kind(config=config, **options)
    except TraitError as error:
        raise CourseError(f"nbgrader_config.py: {error} Mend the file.") from error


def _converter(kind: type[Configurable], config: Config, course: Any = None) -> Any:
    """Return a converter of nbgrader's with its settings, but for hooks, which it would import."""
    names = (
        "exclude_overwriting",
        "sanitize_preprocessors",
        "autograde_preprocessors",
        "permissions",
    )
    sections = [one for one in ("BaseConverter", kind.__name__) if one in config]
    return configured(
        kind,
        Config(
            {
                one: {name: config[one][name] for name in names if name in config[one]}
                for one in sections
            }
        ),
        coursedir=course,
    )


def is_set(config: Config, setting: str) -> bool:
    """Return whether a configuration gives a setting, `Class.name`, a value, by its class or one
    that this derives from.
    """
    section, name = setting.split(".")
    sections = {section, *(base for base, derived in BASES.items() if derived == section)}
    return any(one in config and name in config[one] for one in sections)


def file_permissions(config: Config, course: Any) -> dict[str, int | None]:
    """Return the permissions of the files that each step writes; None where the course says
    nothing.
    """
    found: dict[str, int | None] = {}
    for kind, step in (
        (Autograde, course.autograded_directory),
        (GenerateFeedback, course.feedback_directory),
    ):
        says = (
            course.groupshared
            or is_set(config, f"{kind.__name__}.permissions")
            or is_set(config, "BaseConverter.permissions")
        )
        found[step] = int(str(_converter(kind, config, course).permissions), 8) if says else None
    return found


def _name(one: Any) -> str:
    return one if isinstance(one, str) else f"{one.__module__}.{one.__qualname__}"
