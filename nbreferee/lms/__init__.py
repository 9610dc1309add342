"""Submissions in from Canvas, Moodle and Gradescope, and scores out to them, by file.

A mistake here gives one student another's mark. So nothing is guessed: what does not match exactly
one student is listed and left out.
"""
