"""What an instructor reads of a class: a table in the terminal, a CSV file, pages with statistics
of every exercise.
"""
