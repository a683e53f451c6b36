"""Settings: files and environment to typed records, and what the owner approved."""
