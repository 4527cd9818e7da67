"""The gate between building and publishing: it compares every version and writes the bundle."""
