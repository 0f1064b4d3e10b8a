"""Simulated sellers: scenario files, the world they describe, servers that answer for it, its truth.

Belongs here: everything that pretends. Only `sources/*/sandbox.py`, tests and the sandbox commands
may import it; no production code does.
"""
