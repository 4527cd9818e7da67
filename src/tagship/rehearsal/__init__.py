"""A whole release against a local index that behaves like PyPI: index, OIDC issuer and proxy."""
