"""ISDA SIMM: sensitivities weighted, correlated and added up, ten days at 99 %.

SIMM is ISDA's. What stands here is for research; commercial use needs ISDA's licence.
"""
