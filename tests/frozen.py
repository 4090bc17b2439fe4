"""Loaded last by the process that servers are forked from: no child collects what was imported by then.

A child that walked over it would copy all of it, page by page.
"""

import gc

gc.collect()
gc.freeze()
