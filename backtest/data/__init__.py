"""One file a source of prices; each hands back a `Market`."""
