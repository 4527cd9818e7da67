"""A whole release against a local index that behaves as PyPI does: index, OIDC issuer and proxy."""
