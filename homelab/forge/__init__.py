"""Talking to a code forge: what it holds about a commit, and pull requests.

Layer: just above ``app``, beside ``registry``; the domains above use it, it knows none of them.
"""
