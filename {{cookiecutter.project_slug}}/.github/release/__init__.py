"""What the nox sessions of a release do where that needs thought; run as `python .github/release VERB`."""
