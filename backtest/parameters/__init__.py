"""Numbers from outside: dated, cited TOML files, and objects built of tables."""
