"""Alerts: what was measured, which rules it breaks, what state follows, who is told.

`measures.py` reads the figures of the night, `rules.py` judges one figure, `states.py` turns
judgements and yesterday's alerts into tonight's, `wording.py` says them in two languages, `book.py`
keeps them in the warehouse, `outbox.py` and `delivery.py` send them, each once.
"""
