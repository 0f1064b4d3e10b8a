"""Audits at the two borders: what came in before it is loaded, what goes out before it is read.

`suites.py` reads what is expected (beside the connector, beside the marts), `validation.py` is the
only place that imports Great Expectations, `incoming.py` and `outgoing.py` choose small frames.
Great Expectations takes seconds to import: it is not, where no input changed or what changed is too
little to be judged.
"""
