"""Tests of `tagship plan`."""
