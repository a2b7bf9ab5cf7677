"""Numbers from published sources: dated, cited TOML files, and objects built from their tables."""
