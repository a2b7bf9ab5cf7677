"""Tests of VaR, expected shortfall and density forecasts."""
