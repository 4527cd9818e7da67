"""What is read of repositories, with small ones of every kind."""
