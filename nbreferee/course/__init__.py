"""The instructor's side of a course, read only: folders, settings, notebooks, and who owns each
name.
"""
