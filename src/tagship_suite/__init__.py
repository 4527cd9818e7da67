"""The code of a release: six nox sessions, and what they do where that needs thought."""
