"""Files of prices as publishers write them: recognised, read, and said aloud in one line each."""
