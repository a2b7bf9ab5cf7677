"""Simulators: alternative histories of a market, each path a market of its own."""
