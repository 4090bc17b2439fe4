"""The edge: HTTP routes and the Socket.IO namespace over one market."""
