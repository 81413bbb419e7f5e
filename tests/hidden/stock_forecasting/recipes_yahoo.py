"""Yahoo Finance without a network: what yfinance asks for is answered from given bodies, and it parses them as ever.

Time is counted as the student's code sees it: a pause is skipped, and counts. So the server can be out of order for some
seconds that nobody waits for, and whoever asks again at the right moments finds it working.
"""

import json
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

POLLING = 0.05  # seconds: yf.download looks that often whether its threads are done; such pauses are really slept
ONCE = 2  # how often an attempt may ask for the same: `download`, then `history`, which tells reasons
NOT_FOUND = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
NO_DATA = {"code": "Bad Request", "description": "Data doesn't exist for startDate = 1, endDate = 2"}
PAGES = {  # of Yahoo's other endpoints that yfinance looks at: status and body
    "getcrumb": (200, b"crumb"),
    "quoteSummary": (404, b'{"quoteSummary":{"result":null,"error":{"code":"Not Found","description":"none"}}}'),
    "v7/finance/quote": (200, b'{"quoteResponse":{"result":[],"error":null}}'),
    "timeseries": (200, b'{"timeseries":{"result":[],"error":null}}'),
    "consent": (200, b"<html><body>consent</body></html>"),
}


class YahooClock:
    """Stands for `time.sleep`; pauses that were skipped count as time that passed."""

    def __init__(self):
        self.real, self.skipped, self.running = time.sleep, 0.0, False
        self.told = 0.0  # how much of what was skipped `yahoo_heard` has told

    def __call__(self, seconds):
        if self.running and seconds >= POLLING:
            self.skipped += seconds
        else:
            self.real(seconds)

    def now(self):
        return time.monotonic() + self.skipped


YAHOO_ASKED = Counter()  # how often for which prices
YAHOO_CLOCK = YahooClock()  # one for all: `from time import sleep` keeps it beyond the check in which that was run


class YahooServer:
    """Answers chart requests from `bodies`, by symbol, and in `trouble` fails but between two moments.

    `trouble`: `timeout`, `error page` or `too many`, on every request. `opens`, `closes`: seconds after the first request
    for prices. `empty`: what is said of days without prices, `nothing` or `refused`. `later`: the bodies that it has for
    those who ask again, after a pause or more often than `ONCE`; they get all days, whatever they ask for.
    """

    def __init__(self, bodies, trouble=None, opens=float("inf"), closes=float("inf"), empty="nothing", later=None):
        self.bodies, self.trouble, self.opens, self.closes, self.empty = bodies, trouble, opens, closes, empty
        self.later, self.began, self.first = later, YAHOO_CLOCK.skipped, None

    def answer(self, url, params):
        """(status, content) of a request, or None for one that is never answered."""
        parts = urlsplit(url)
        params = {**{name: values[0] for name, values in parse_qs(parts.query).items()}, **(params or {})}
        chart = "/finance/chart/" in parts.path
        if chart and self.first is None:
            self.first = YAHOO_CLOCK.now()
        passed = 0.0 if self.first is None else YAHOO_CLOCK.now() - self.first
        if self.trouble and not self.opens <= passed < self.closes:
            return {
                "timeout": None,
                "error page": (500, b"<html><body>Internal Server Error</body></html>"),
                "too many": (429, b"Too Many Requests\r\n"),
            }[self.trouble]
        if chart:
            asked = parts.path, *sorted(params.items())
            again = self.later and (YAHOO_ASKED[asked] >= ONCE or YAHOO_CLOCK.skipped > self.began)
            status, content = self.chart(unquote(parts.path.partition("/finance/chart/")[2]), params, again)
            # What is refused yfinance asks for once more at once, with another cookie.
            YAHOO_ASKED[asked] += 1 if status == 200 else 0.5
            return status, content
        return next((page for name, page in PAGES.items() if name in url), (200, b""))

    def chart(self, symbol, params, again):
        """The days that were asked for, of a symbol that Yahoo knows."""
        bodies = self.later if again else self.bodies
        if symbol not in bodies:
            return 404, json.dumps({"chart": {"result": None, "error": NOT_FOUND}}).encode()
        (whole,) = bodies[symbol]["chart"]["result"]
        seconds = whole["timestamp"]
        if not again and ("period1" in params or "period2" in params):
            since, until = float(params.get("period1", 0)), float(params.get("period2", 1e12))
        else:
            days = {"1d": 1, "5d": 5}.get(params.get("range"), len(seconds))
            since, until = seconds[-days:][0], 1e12
        if params.get("interval", "1d") != "1d":
            return 422, json.dumps({"chart": {"result": None, "error": NO_DATA}}).encode()
        places = [place for place, second in enumerate(seconds) if since <= second < until]
        if not places and self.empty == "refused":
            return 400, json.dumps({"chart": {"result": None, "error": NO_DATA}}).encode()
        return 200, json.dumps({"chart": {"result": [_part(whole, places)], "error": None}}).encode()


def _part(whole, places):
    """A chart result with the days at these places only."""
    kept = {whole["timestamp"][place] for place in places}
    events = {
        kind: {key: event for key, event in found.items() if event["date"] in kept}
        for kind, found in whole.get("events", {}).items()
    }
    indicators = {
        kind: [{name: [values[place] for place in places] for name, values in columns.items()} if places else {}]
        for kind, (columns,) in whole["indicators"].items()
    }
    times = {"timestamp": [whole["timestamp"][place] for place in places]} if places else {}
    events = {kind: found for kind, found in events.items() if found}
    return {"meta": whole["meta"], **times, "events": events, "indicators": indicators}


def yahoo_serves(bodies, **settings):
    """From here on a `YahooServer` is the network, and yfinance knows nothing of what it heard before."""
    import curl_cffi.requests
    import requests

    server = YahooServer(bodies, **settings)

    def by_curl(self, method, url, params=None, **kwargs):
        answer = server.answer(url, params)
        if answer is None:
            raise curl_cffi.requests.exceptions.Timeout("Failed to perform, curl: (28) Operation timed out.", 28)
        response = curl_cffi.requests.Response()
        response.url, (response.status_code, response.content) = url, answer
        response.ok, response.reason = response.status_code < 400, "by the stand-in"
        return response

    def by_requests(self, request, **kwargs):
        answer = server.answer(request.url, None)
        if answer is None:
            raise requests.exceptions.ReadTimeout("Read timed out.")
        response = requests.Response()
        response.url, (response.status_code, response._content) = request.url, answer
        response.request = request
        return response

    yahoo_withdraws()
    for session, name, function in _transports(by_curl, by_requests):
        function.real = getattr(session, name)
        setattr(session, name, function)
    time.sleep, YAHOO_CLOCK.running = YAHOO_CLOCK, True
    _forget_everything()
    yahoo_heard()


def yahoo_heard():
    """Seconds of pauses since this was told last; who asks from now on does not ask again."""
    heard, YAHOO_CLOCK.told = YAHOO_CLOCK.skipped - YAHOO_CLOCK.told, YAHOO_CLOCK.skipped
    YAHOO_ASKED.clear()
    return heard


def yahoo_withdraws():
    """The network and the clock are what they were."""
    for session, name, _ in _transports(None, None):
        setattr(session, name, getattr(getattr(session, name), "real", getattr(session, name)))
    time.sleep, YAHOO_CLOCK.running = YAHOO_CLOCK.real, False


def _transports(by_curl, by_requests):
    import curl_cffi.requests
    import requests

    return (curl_cffi.requests.Session, "request", by_curl), (requests.Session, "send", by_requests)


def _forget_everything():
    """No cookie, crumb, answer or setting of an earlier check is left in yfinance, and it writes no files."""
    from yfinance import base, cache, config, data

    data.SingletonMeta._instances.pop(data.YfData, None)
    data.YfData.cache_get.cache_clear()
    config.YfConfig._initialised = False
    cache._TzCacheManager._tz_cache = cache._TzCacheDummy()
    cache._CookieCacheManager._Cookie_cache = cache._CookieCacheDummy()
    cache._ISINCacheManager._isin_cache = cache._ISINCacheDummy()
    base._tz_info_fetch_ctr = 2  # twice in a process it looks for a lost time zone among the quotes, too: never here


def yahoo_path(folder, *names):
    """A path in the worker as a `Path`."""
    return Path(folder, *names)


def yahoo_files(folder):
    """What lies in a folder: name -> content."""
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def yahoo_same(table):
    """A table that stays in the worker, so that it can be looked at again."""
    return table
