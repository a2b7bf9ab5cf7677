"""What margins cost, and what they left uncovered, in USD."""
