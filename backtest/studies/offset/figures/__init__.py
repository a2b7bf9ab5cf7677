"""Figures of the offset study."""
