"""Sources over what was recorded: files of frames and stored days. Read `playback` first."""
