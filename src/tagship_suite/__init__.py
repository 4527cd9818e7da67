"""The code of a release: five nox sessions, and what they do where that needs thought."""
