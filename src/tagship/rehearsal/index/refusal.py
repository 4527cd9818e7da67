"""What the index says no with: a status, and the message that a client prints."""

from __future__ import annotations


class Refusal(Exception):
    """A request that the index does not grant; `status` is HTTP's, `message` is PyPI's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class MintRefusal(Exception):
    """A token that the index does not exchange; `code` is one of PyPI's, `description` its text."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class PublisherMismatch(Exception):
    """A valid token that no publisher accepts; the text is what PyPI puts into its brackets."""
