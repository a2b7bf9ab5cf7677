"""The page that shows what was timed: each module of the bench has its place in it."""


def written(page: str, module: str, lines: list[str]) -> str:
    """The page with `lines` as the code block of a module's place, in place of what was there.

    A place begins with the line `<!-- bench: MODULE -->` and ends with `<!-- end -->`.

    Examples
    --------
    >>> print(written("<!-- bench: tails -->\\nold\\n<!-- end -->", "tails", ["new", ""]))
    <!-- bench: tails -->
    ```text
    new
    ```
    <!-- end -->
    """
    begin, end = f"<!-- bench: {module} -->\n", "<!-- end -->"
    if begin not in page:
        raise SystemExit(f"the page has no place for {module}: a line '{begin.strip()}'")
    before, after = page.split(begin, 1)
    block = "\n".join(lines).strip("\n")
    return f"{before}{begin}```text\n{block}\n```\n{end}{after.split(end, 1)[1]}"
