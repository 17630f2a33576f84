"""Why a call was not done: in, what went wrong; out, an answer that the caller can act upon."""


class Refused(Exception):
    """A no for good: calling again does not help. The caller's epoch is over, or its words are wrong."""


class Failed(Exception):
    """Not done, or not for certain; whoever may write by now, it is one host at most. Call again."""
