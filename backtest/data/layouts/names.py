"""Which factor a publisher's code, ticker or file name means."""

import re

FRED = {
    "DGS1MO": "1M", "DGS3MO": "3M", "DGS6MO": "6M", "DGS1": "1Y", "DGS2": "2Y", "DGS3": "3Y",
    "DGS5": "5Y", "DGS7": "7Y", "DGS10": "10Y", "DGS20": "20Y", "DGS30": "30Y",
    "SOFR": "SOFR", "DFF": "DFF", "VIXCLS": "VIX", "CBBTCUSD": "BTC", "CBETHUSD": "ETH",
}  # fmt: skip
DOLLARS = ("USDT", "USDC", "USD")  # the longest first: BTCUSDT is no BTCUSD
FUTURES = {"BTC=F": "BTC_CME", "ETH=F": "ETH_CME", "BTC.F": "BTC_CME", "ETH.F": "ETH_CME"}
COINS = {"XBT": "BTC", "XXBT": "BTC", "XETH": "ETH", "BITCOIN": "BTC", "ETHEREUM": "ETH"}
TENOR = re.compile(  # and nothing behind it that makes another rate of it: real, swap, -2Y, Bund
    r"(?:Y_)?(\d{1,2}) ?-?(?:(M|MO|MTH|MONTH|MONTHS)|(Y|YR|YRS|YEAR|YEARS))\b"
    r"(?:[\s_,.()%/-]|TREASUR(?:Y|IES)|YIELDS?|RATE|CONSTANT|MATURITY|CMT|PAR|UST?|GOVT|BOND|NOTE|"
    r"BILL|CURVE|PERCENT|PCT|CLOSE|LAST|MID|INDEX)*",
    re.IGNORECASE,
)
BOARD = re.compile(r"RIFLGFC([MY])(\d\d)_N\.\w+")  # of the Federal Reserve's H.15
GOVERNMENT = re.compile(r"(?:USGG|GT|H15T)(\d{1,2})(M|Y|YR)?(?: (?:INDEX|GOVT))?", re.IGNORECASE)
STEPS = r"1d|d|1440|daily|max|history|prices?|historical|data|ohlc[vt]*|20\d\d.*|19\d\d.*"
PERIODS = rf"(?:[-_., ]+(?:{STEPS}))+$"
VENUES = r"^(?:binance|bitstamp|coinbase|kraken|gemini|bitfinex|okx|bybit|yahoo|stooq|daily)[-_ ]"


def factor_of(code: str) -> str:
    """The factor that a code, ticker or heading means, in the project's own names.

    Examples
    --------
    >>> [factor_of(c) for c in ("DGS10", "10 Yr", "XBTUSD", "ETH-USD", "^VIX", "USGG2YR Index")]
    ['10Y', '10Y', 'BTC', 'ETH', 'VIX', '2Y']
    >>> [factor_of(c) for c in ("BTC/EUR", "spy.us", "1.5 Month", "10Y-2Y", "BTC=F")]
    ['BTC/EUR', 'SPY', '1.5 MONTH', '10Y-2Y', 'BTC_CME']
    """
    name = code.strip().upper()
    if name in FRED or name in FUTURES:
        return (FRED | FUTURES)[name]
    tenor = BOARD.fullmatch(name)
    if tenor:
        return f"{int(tenor[2])}{tenor[1]}"
    tenor = GOVERNMENT.fullmatch(name)
    if tenor:
        return f"{int(tenor[1])}{'M' if tenor[2] == 'M' else 'Y'}"
    tenor = TENOR.fullmatch(name)
    if tenor:
        return f"{int(tenor[1])}{'M' if tenor[2] else 'Y'}"
    name = re.sub(r"\.(?:US|V|F|CC)$|^\^|=F$| (?:US EQUITY|EQUITY|CURNCY|INDEX|COMDTY)$", "", name)
    bare = re.sub(r"[-/_ ]", "", name)
    for quote in DOLLARS:
        coin = bare.removesuffix(quote)
        if coin and coin != bare:
            coin = coin.removesuffix("Z") if coin in ("XXBTZ", "XETHZ") else coin
            return COINS.get(coin, coin)
    return COINS.get(name, name)


def factor_of_file(file: str) -> str:
    """The factor that a file's name means, without what it says of venue, step and window.

    Examples
    --------
    >>> [factor_of_file(f) for f in ("BTCUSDT-1d-2024-01.csv", "XBTUSD_1440.csv", "DGS10.csv")]
    ['BTC', 'BTC', '10Y']
    >>> [factor_of_file(f) for f in ("btc-usd-max.csv", "Bitstamp_ETHUSD_d.csv", "spy_us_d.csv")]
    ['BTC', 'ETH', 'SPY']
    """
    stem = re.sub(r"\.(?:csv|txt|parquet|xls[xm])$", "", file, flags=re.IGNORECASE)
    first = re.split(r"[-_ ]", stem)[0].upper()
    if first in COINS:
        return COINS[first]
    stem = re.sub(VENUES, "", stem, flags=re.IGNORECASE)
    stem = re.sub(PERIODS, "", stem, flags=re.IGNORECASE)
    return factor_of(re.sub(r"[_.](?:us|v)$", "", stem, flags=re.IGNORECASE))
