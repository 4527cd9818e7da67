"""Tests of the facts about repositories, with small ones of every kind."""
