"""The commands of ``rtrack``, one module each."""


class CommandError(Exception):
    """A command cannot go on; the message is one line that names the remedy."""
