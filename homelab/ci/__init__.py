"""Continuous integration: what a commit's pipelines say."""
