"""What the sections of the notebooks need: one file for each notebook, `n05.py` for 05, found by its number."""
