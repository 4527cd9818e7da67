"""The GitHub Release of a tag: its notes, its files, and the API that creates it."""
