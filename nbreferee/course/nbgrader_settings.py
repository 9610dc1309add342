"""Read the settings of nbgrader that grading depends on, and name those that are not honoured.

A setting of a class that takes part in grading and is not in `HONOURED` is named in a warning where
a course sets it.
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
from nbreferee.course.nbgrader_setting_names import BASES, GRADING, HONOURED
from nbreferee.course.rules import Delimiters, Rules

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
