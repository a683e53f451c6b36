"""Measurements of speed and memory, as ratios within one run. None of them is a test."""
