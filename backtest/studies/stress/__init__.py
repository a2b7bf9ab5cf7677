"""Stress tests and limits on the pages of commands: what a study asks, its tables, its figure."""
