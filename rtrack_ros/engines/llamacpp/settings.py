"""What llama.cpp is told when it starts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerSettings:
    """Settings of one llama.cpp server.

    Attributes:
        model: Path of the language model.
        projector: Path of its vision part.
        alias: The name by which it is asked for.
        threads: Inference threads.
        niceness: Added to the scheduling niceness of the process, 0 to 19.
        slots: Questions that it answers at once.
        context: Tokens of one question, its images and its answer.
        host: Address to listen on.
        port: TCP port; 0 for any that is free.
    """

    model: str
    projector: str
    alias: str
    threads: int
    niceness: int
    slots: int
    context: int
    host: str = '127.0.0.1'
    port: int = 0
