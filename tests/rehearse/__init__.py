"""Tests of `tagship rehearse`; those of its servers are in `tests/rehearsal`."""
