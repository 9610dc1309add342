"""The student's side: processes in a sandbox that run the student's cells."""
