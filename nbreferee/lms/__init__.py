"""Submissions in from Canvas, Moodle and Gradescope, and scores out to them, by file.

A mistake here gives one student another's mark. So nothing is guessed: what does not match exactly
one student is listed and left out.

A new platform takes a module of its own, and a place in `handins` (what its zip looks like),
`matching`, `roster`, `people`, `naming` and `students` (how it names students), `importing` (the
columns of its lists), `templates` (its table of scores), `plugins` (an exporter of nbgrader's) and
the choices of the command line.
"""
