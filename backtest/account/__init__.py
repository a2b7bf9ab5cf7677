"""The collateral account: what can be posted, at which haircut, called and held day by day."""

from .account import AccountHistory, AccountTerms, replay_account
from .adequacy import haircut_adequacy
from .mix import Marks, Mix, collateral_marks

__all__ = [
    "AccountHistory",
    "AccountTerms",
    "Marks",
    "Mix",
    "collateral_marks",
    "haircut_adequacy",
    "replay_account",
]
