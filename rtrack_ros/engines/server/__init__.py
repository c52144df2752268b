"""One client for every server that speaks the chat interface of OpenAI.

``engine`` puts the parts together: ``address`` and ``api_key`` name the server, ``connection`` and
``client`` carry requests, ``dialects`` and ``requests`` write them, ``images`` encodes pictures,
``streaming`` and ``answer`` read what comes back, ``errors`` says what went wrong, and
``discovery`` finds out what a server is.
"""
