"""Simulated sellers: scenario files, their worlds, servers that answer for them, their truth.

Belongs here: everything that pretends. Only `sources/*/sandbox.py`, tests and the sandbox commands
may import it; no production code does.
"""
