"""Measures times, as ratios in one run to what people use today."""
