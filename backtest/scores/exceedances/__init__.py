"""Tests of how many exceedances, and in which order."""
