"""Study files: their tables, their checks, how they are read."""
