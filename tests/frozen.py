"""Loaded last by the process that servers are forked from: what was imported by then is no child's to collect.

A child that walked over it would copy all of it, page by page.
"""

import gc

gc.collect()
gc.freeze()
