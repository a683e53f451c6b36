"""Git, translated: discovery, remote URLs, the runner. Home of GitPython."""
