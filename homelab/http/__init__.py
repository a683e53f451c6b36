"""HTTP, translated: dialing, fetching, event streams. Home of httpx and tenacity."""
