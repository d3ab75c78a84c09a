"""Formats and build steps of Fluid OS in plain typed Python; nothing here imports SCons."""
