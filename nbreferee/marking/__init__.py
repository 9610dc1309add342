"""What a person adds to grades: marks by hand, groups of wrong answers, comments on a group."""
