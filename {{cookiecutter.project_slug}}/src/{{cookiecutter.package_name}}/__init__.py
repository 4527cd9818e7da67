"""What users of this package import."""
