"""Measured ratios: what ours costs against a yardstick, never seconds by themselves."""
