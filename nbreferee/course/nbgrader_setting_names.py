"""The settings of nbgrader by name: those that nbreferee honours, and those that it does not.

`HONOURED` is the list that docs/settings.md prints.
"""

from __future__ import annotations

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
