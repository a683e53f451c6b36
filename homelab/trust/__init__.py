"""The verb `trust`: approving a repository's commands."""
