"""Leave out what students must not read: hidden tests, with references and mistakes, and mark
schemes.
"""

from __future__ import annotations

from nbformat import NotebookNode

from nbreferee.course.rules import Delimiters, released_view


def hide_tests(notebook: NotebookNode, delimiters: Delimiters) -> None:
    """Show the instructor's cells of an executed notebook as students got them, in place.

    A traceback that quotes a hidden line is cut down to its last line, the error's type and
    message.
    """
    for cell in notebook.cells:
        settings = cell.metadata.get("nbgrader")
        if not settings or settings.get("solution"):
            continue
        shown = released_view(cell.source, delimiters)
        if shown == cell.source:
            continue
        hidden = {line.strip() for line in cell.source.split("\n")} - {
            line.strip() for line in shown.split("\n")
        }
        cell["source"] = shown.removesuffix("\n")
        for output in cell.get("outputs", ()):
            if output.output_type == "error" and _quotes(output.traceback, hidden):
                output["traceback"] = [f"{output.ename}: {output.evalue}"]


def _quotes(traceback: list[str], hidden: set[str]) -> bool:
    from nbconvert.filters.ansi import strip_ansi

    text = strip_ansi("\n".join(traceback))
    return any(line in text for line in hidden if line)
