"""What an adoption leaves to a person, as far as the files show it."""
