"""REST: a module for each resource, over one base. Read `base` first."""
