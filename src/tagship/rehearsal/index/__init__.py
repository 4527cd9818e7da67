"""A local package index that behaves as PyPI does, uploads and trusted publishing included."""

from tagship.rehearsal.index.app import LocalIndex
from tagship.rehearsal.index.log import MintEntry, UploadEntry
from tagship.rehearsal.index.releases import StoredFile

__all__ = ["LocalIndex", "MintEntry", "StoredFile", "UploadEntry"]
