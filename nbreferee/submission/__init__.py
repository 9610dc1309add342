"""What a student handed in: found among the files, read as untrusted bytes, and matched with the
instructor's cells.
"""
