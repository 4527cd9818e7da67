"""Publishing a bundle to an index."""
