"""What a client may ask, validated with sentences: read `fields` first, then `queries` and `events`."""
