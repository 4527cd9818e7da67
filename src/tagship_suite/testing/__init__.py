"""Running the project's own tests on the wheel that will ship."""
