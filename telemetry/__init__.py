"""What all programs agree on and share: the schema, the points, the stores that hold them, files and commands."""
