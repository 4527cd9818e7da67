"""`tagship plan`: what a release of HEAD would do, without doing any of it."""
