"""One folder a command: what it computes, its page, its figures."""
