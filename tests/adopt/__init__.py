"""Tests of `tagship adopt`."""
