"""What goes wrong in the lab, said in one sentence that names the remedy."""


class LabError(Exception):
    """The lab cannot do what was asked; the text says why, and what to do."""
