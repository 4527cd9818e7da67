"""What `tagship plan` says of a release that has not been made."""
