"""Tests of `tagship doctor`."""
