"""The gate between building and publishing: every version compared, and the bundle that it lets through."""
