"""`tagship adopt`: finds out once what a release needs to know, so that nothing is guessed at release time."""
