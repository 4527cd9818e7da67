"""The refusals of the index: a status, and the message that a client prints."""

from __future__ import annotations


class Refusal(Exception):
    """A request that the index refuses, with the HTTP `status` and PyPI's `message`."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class MintRefusal(Exception):
    """A token that the index does not exchange, with PyPI's `code` and `description`."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class PublisherMismatch(Exception):
    """A valid token without a matching publisher; the text is what PyPI puts into parentheses."""
