"""Overlays: each adds one step to any margin model, its `base`."""
