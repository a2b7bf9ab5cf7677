"""What a study draws of itself, and what every figure through time shares."""
