"""homelab: commit → CI → image → deploy → healthy → public URL, one boring command a step."""

__version__ = "0.1.0"
