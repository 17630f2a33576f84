"""What can go wrong in words: in, a cause; out, one sentence for an operator."""


class FailoverError(Exception):
    """Something could not be done; the text says what, and the remedy."""
