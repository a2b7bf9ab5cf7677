"""History, or many histories, through every model; what came of it."""
