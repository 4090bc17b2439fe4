"""Loaded last by the process that servers are forked from: no child collects what was there by then.

A child that walked over it would copy all of it, page by page. What comes with the program is read, too.
"""

import gc

from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue

Catalogue.load(Calendar.load())
gc.collect()
gc.freeze()
