"""Who else pays than the account itself: groups of the ledger's bearers, and their words."""

from collections.abc import Mapping

GROUPS: Mapping[str, tuple[str, ...]] = {
    "fellow": ("fellow customers",),
    "sipc": ("advanced by SIPC",),
    "elsewhere": ("surplus at the other house",),
    "firm": ("firms", "advanced by firms", "firms' contributions"),
    "house": ("houses' capital",),
    "fund": ("mutual fund", "assessments"),
    "uncovered": ("uncovered",),
}
STUCK = "stuck"  # customers of failed firms: closing out what is not ported, which no bearer pays
TOGETHER = "others"  # all of them
WHO = {
    "fellow": "fellow customers",
    "sipc": "SIPC",
    "elsewhere": "surplus at another house",
    "firm": "firms",
    "house": "houses' capital",
    "fund": "mutual fund",
    "uncovered": "nobody: uncovered",
    STUCK: "customers not ported",
}
