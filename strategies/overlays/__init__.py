"""Overlays: each wraps any margin model in `base`, and keeps its parts."""
