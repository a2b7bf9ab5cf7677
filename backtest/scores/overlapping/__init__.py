"""Coverage that respects losses over several days."""
