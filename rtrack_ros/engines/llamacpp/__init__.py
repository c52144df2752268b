"""The engine that runs llama.cpp beside the tracker, and the converter of our models to its files.

``engine`` answers questions; it starts llama.cpp as a ``process``, whose own program is ``child``,
on the files that ``pair`` finds, and keeps its words in a ``log``. ``export`` converts a model:
``weights`` reads it, ``vocabulary``, ``language`` and ``projector`` write GGUF.
"""
