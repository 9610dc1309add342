"""Submissions in from Canvas, Moodle and Gradescope, and scores out to them, by file.

A mistake here gives one student another's mark. So nothing is guessed: what does not match exactly
one student is listed and left out.

A new platform takes a module of its own, and a place in `handins` (what its zip looks like),
`matching` and `roster` (how it names students), `templates` (its table of scores) and the
choices of the command line.
"""
