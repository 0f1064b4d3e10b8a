"""The generator of simulated worlds."""
