"""The demonstration: real processes over real DDS, recorded, scored and shown."""
