"""Estimators shared by margin models and simulators."""
