"""Views for front ends that were written for another server; each is off unless a setting asks for it."""
