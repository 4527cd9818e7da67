"""What is run by the people who work on this repository."""
