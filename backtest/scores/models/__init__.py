"""Models against each other, and many books at once."""
