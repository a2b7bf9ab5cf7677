"""ISDA SIMM: weighted sensitivities, aggregated with correlations, ten days at 99 %.

SIMM belongs to ISDA. This code is for research; commercial use needs ISDA's licence.
"""
