"""The process: routes put together, health, metrics, start and end. Read `application`, then `serving`."""
