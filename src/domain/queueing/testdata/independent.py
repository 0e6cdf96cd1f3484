"""Writes independent.json: further cases for the closed forms, computed from the definitions with 50 digits and more.

Needs Python 3 and mpmath, reads nothing, and gives the same file each time. Each value is worked out from the definition or from a
formula other than the one in the program: state probabilities summed one by one, alternating series with enough digits, roots by
bisection. Parameters are taken as the binary fractions that the program reads.

    python3 independent.py > independent.json
"""

import json
import sys
from functools import lru_cache
from itertools import combinations, permutations

from mpmath import binomial, cos, exp, floor, harmonic, log, mp, mpf, pi, sqrt, workdps, zeta

mp.dps = 50
CASES = []


def add(name, model, params, metric, value, source, tolerance=1e-9, kind="rel"):
    CASES.append({
        "id": name, "model": model, "params": params, "metric": metric, "value": float(value),
        "tolerance": tolerance, "tol_kind": kind, "source": source,
    })


def bisect(rising, low, high, steps=400):
    """The root of a rising function."""
    low, high = mpf(low), mpf(high)
    for _ in range(steps):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def percent(tail):
    """A tail as the percentile in a metric's name, and the tail that the name comes to."""
    text = f"{100 - 100 * tail:.10f}".rstrip("0").rstrip(".")
    return text, mpf((100.0 - float(text)) / 100.0)


# ---------------------------------------------------------------- M/M/1 and M/M/c

def state_weights(offered, servers, last):
    """Weights of the states 0..last of M/M/c, the empty one 1."""
    weight, weights = mpf(1), [mpf(1)]
    for n in range(1, last + 1):
        weight *= offered / min(n, servers)
        weights.append(weight)
    return weights


@lru_cache(None)
def erlangs(servers, offered):
    """Erlang B and C from the sum of states, largest last."""
    weights = state_weights(offered, servers, servers)
    inside = sum(weights)
    blocking = weights[-1] / inside
    load = offered / servers
    waiting = None
    if load < 1:
        beyond = weights[-1] / (1 - load)
        waiting = beyond / (inside - weights[-1] + beyond)
    return blocking, waiting


def multi_server():
    points = [
        ("mm1.idle", 1e-9, 1.0, 1), ("mm1.light", 1e-3, 1.0, 1), ("mm1.half", 0.5, 1.0, 1), ("mm1.r999", 999.0, 1000.0, 1),
        ("mm1.edge", 1 - 1e-9, 1.0, 1), ("mm1.edge12", 1 - 1e-12, 1.0, 1), ("mm1.odd", 3.33, 3.34, 1),
        ("mm1.fractions", 0.6999999, 0.7, 1),
        ("mmc.c2", 1.9, 1.0, 2), ("mmc.c3.third", 0.2, 0.1, 3), ("mmc.c3.nearly", 0.2999999, 0.1, 3), ("mmc.c7", 6.99, 1.0, 7),
        ("mmc.c7.scaled", 0.69, 0.1, 7), ("mmc.drain_is_rate", 3.0, 1.0, 4), ("mmc.drain_near_rate", 3.0000000001, 1.0, 4),
        ("mmc.c24.edge", 24 - 1e-6, 1.0, 24), ("mmc.c50.light", 1.0, 1.0, 50), ("mmc.c100", 95.0, 1.0, 100),
        ("mmc.c100.slow", 0.095, 0.001, 100), ("mmc.c1000", 990.0, 1.0, 1000), ("mmc.c1000.edge", 1000 - 1e-6, 1.0, 1000),
        ("mmc.c10000", 9900.0, 1.0, 10000), ("mmc.c10000.full", 9999.999, 1.0, 10000), ("mmc.c10000.light", 5000.0, 1.0, 10000),
        ("mmc.db", 4321.0, 62.5, 80),
    ]
    for name, arrivals, rate, servers in points:
        model = "M/M/1" if servers == 1 else "M/M/c"
        params = {"lambda_": arrivals, "mu": rate}
        if servers > 1:
            params["c"] = servers
        lam, mu = mpf(arrivals), mpf(rate)
        offered = lam / mu
        waiting = erlangs(servers, offered)[1]
        spare = servers * mu - lam
        source = "states summed with 50 digits"
        mean_wait = waiting / spare
        add(f"{name}.rho", model, params, "utilisation", offered / servers, source)
        add(f"{name}.PW", model, params, "P(wait)", waiting, source)
        add(f"{name}.Wq", model, params, "mean waiting time", mean_wait, source)
        add(f"{name}.W", model, params, "mean sojourn time", mean_wait + 1 / mu, source)
        add(f"{name}.Lq", model, params, "mean queue length", lam * mean_wait, source)
        add(f"{name}.L", model, params, "mean number in system", lam * mean_wait + offered, source)

        def sojourn_tail(time):
            # P(W > t) = ∫ service density × P(wait > t − s) + P(service > t), by hand; the equal rates apart.
            if servers == 1:
                return exp(-spare * time)
            if spare == mu:
                return exp(-mu * time) * (1 + waiting * mu * time)
            return exp(-mu * time) + waiting * mu / (spare - mu) * (exp(-mu * time) - exp(-spare * time))

        for tail in (0.5, 0.1, 0.01, 1e-3, 1e-6):
            text, exact = percent(tail)
            wait = max(mpf(0), log(waiting / exact) / spare)
            add(f"{name}.wait_p{text}", model, params, f"waiting-time p{text}", wait, "exponential tail with an atom at 0", 1e-8)
            with workdps(80):
                high = (log(1 / exact) + 5) * (1 / mu + 1 / spare) * 2
                sojourn = bisect(lambda t: exact - sojourn_tail(t), 0, high)
            add(f"{name}.p{text}", model, params, f"sojourn p{text}", sojourn, "bisection of the two-exponential tail, 80 digits")


def erlang():
    for servers, offered in [
        (1, 1e-9), (1, 1.0), (1, 1e6), (2, 1e-6), (5, 3.0), (10, 10.0), (10, 1000.0), (100, 50.0), (100, 100.0), (100, 1e4), (1000, 900.0),
        (1000, 1000.0), (1000, 1100.0), (10000, 9000.0), (10000, 9999.999), (10000, 10000.0), (10000, 12000.0), (50, 0.5),
    ]:
        blocking = erlangs(servers, mpf(offered))[0]
        add(f"erlangB.c{servers}.a{offered:.10g}", "M/M/c/c (Erlang B; insensitive M/G/c/c)", {"c": servers, "a": offered},
            "blocking probability", blocking, "states summed with 50 digits")
    for servers, offered in [
        (1, 1e-9), (1, 0.999999999), (2, 1.0), (2, 1.999999999), (16, 15.9), (64, 60.0), (500, 499.9), (1000, 999.999999),
        (10000, 9999.0), (10000, 9999.999999), (10000, 9500.0), (200, 100.0),
    ]:
        waiting = erlangs(servers, mpf(offered))[1]
        add(f"erlangC.c{servers}.a{offered:.10g}", "Erlang C", {"c": servers, "a": offered}, "P(wait)", waiting,
            "states summed with 50 digits")
    for offered, target in [(1.0, 0.5), (10.0, 0.01), (100.0, 0.001), (1000.0, 0.2), (0.001, 1e-6), (9500.0, 0.05)]:
        servers = int(offered) + 1
        blocking = erlangs(servers, mpf(offered))[0]
        while servers * blocking / (servers - mpf(offered) * (1 - blocking)) > target:
            servers += 1
            blocking = mpf(offered) * blocking / (servers + mpf(offered) * blocking)
        add(f"pool.least.a{offered:g}.{target:g}", "smallest pool with P(wait)<1% at a=50", {"a": offered, "target": target},
            "connections", servers, "tried one by one", 0, "abs")
    for offered, quality in [(0.0, 2.0), (1.0, 1.0), (1e4, 1.5), (200.0, 2.0)]:
        add(f"pool.sqrt.a{offered:g}.{quality:g}", "square-root staffing beta=2", {"a": offered, "beta": quality},
            "connections a+b*sqrt(a)", mpf(offered) + mpf(quality) * sqrt(mpf(offered)), "arithmetic")
    for servers, fresh, recall in [(10, 8.0, 1.0), (10, 9.9999, 1.0), (10, 20.0, 0.5), (100, 95.0, 0.9), (1, 0.5, 1.0), (10, 8.0, 0.0),
                                   (1, 0.999999, 1.0), (50, 49.999, 1.0)]:
        with workdps(60):
            def short(total):
                weights = state_weights(total, servers, servers)
                return total - mpf(recall) * total * weights[-1] / sum(weights) - mpf(fresh)
            total = bisect(short, mpf(fresh), mpf(fresh) * 2 + mpf(10) ** 9, 260)
        add(f"erlangB.extended.c{servers}.a{fresh:g}.r{recall:g}", "Extended Erlang B with recall factor 0.5",
            {"c": servers, "a": fresh, "recall": recall}, "effective offered load", total, "bisection with 60 digits")


# ---------------------------------------------------------------- M/M/c/K

def finite_room():
    points = [
        ("tiny", 1e-9, 1.0, 1, 1), ("one", 3.0, 1.0, 1, 1), ("loss", 15.0, 1.0, 20, 20), ("loss1000", 1000.0, 1.0, 1000, 1000),
        ("even", 1.0, 1.0, 1, 1000), ("even.many", 8.0, 1.0, 8, 108), ("above", 1.0000001, 1.0, 1, 1000), ("below", 0.9999999, 1.0, 1, 1000),
        ("below.large", 0.99999, 1.0, 1, 100000), ("above.large", 1.00001, 1.0, 1, 100000), ("half", 0.5, 1.0, 1, 40), ("double", 20.0, 1.0, 10, 60),
        ("flood", 1e6, 1.0, 10, 60), ("pool", 4000.0, 50.0, 100, 300), ("wide", 9990.0, 1.0, 10000, 12000),
        ("wide.even", 10000.0, 1.0, 10000, 10001), ("long", 95.0, 1.0, 100, 50000), ("fractions", 2.1, 0.7, 3, 50), ("light", 1.0, 1.0, 50, 60),
        ("tail", 0.1, 1.0, 1, 12),
    ]
    for name, arrivals, rate, servers, room in points:
        params = {"lambda_": arrivals, "mu": rate, "c": servers, "K": room}
        lam, mu = mpf(arrivals), mpf(rate)
        weights = state_weights(lam / mu, servers, room)
        total = sum(weights)
        drop = weights[-1] / total
        number = sum(n * weight for n, weight in enumerate(weights)) / total
        served = mu * sum(min(n, servers) * weight for n, weight in enumerate(weights)) / total
        source = "states summed with 50 digits"
        if weights[0] / total > mpf(10) ** -300:
            add(f"mmck.{name}.p0", "M/M/c/K", params, "P(empty)", weights[0] / total, source)
        add(f"mmck.{name}.pK", "M/M/c/K", params, "drop probability", drop, source)
        add(f"mmck.{name}.L", "M/M/c/K", params, "mean number in system", number, source)
        add(f"mmck.{name}.R", "M/M/c/K", params, "mean sojourn of accepted", number / served, source)
        add(f"mmck.{name}.X", "M/M/c/K", params, "throughput", served, source)


# ---------------------------------------------------------------- one server, general

def decay_of(load):
    """θ > 0 with θ = ρ(e^θ − 1)."""
    with workdps(60):
        low = (1 - load)
        high = 2 * (1 - load) / load + 3 * log(1 / load) + 1
        return bisect(lambda t: load * (exp(t) - 1) - t, low / 2, high)


def constant_wait_tail(load, time):
    """Crommelin's alternating sum with as many digits as it takes; far out, the leading exponential."""
    if time < 400:
        with workdps(60 + int(2 * time)):
            load, time = mpf(load), mpf(time)
            total = mpf(0)
            for k in range(int(floor(time)) + 1):
                x = load * (k - time)
                total += x ** k / mp.factorial(k) * exp(-x)
            return 1 - (1 - load) * total
    with workdps(60):
        theta = decay_of(mpf(load))
        return (1 - mpf(load)) / (mpf(load) * exp(theta) - 1) * exp(-theta * time)


def general_service():
    for name, arrivals, service, variation in [
        ("idle", 1e-9, 1.0, 1.0), ("const", 0.9, 1.0, 0.0), ("edge", 1 - 1e-9, 1.0, 2.0), ("edge.odd", 3.33, 0.3003003, 1.0),
        ("bursty", 50.0, 0.019, 25.0), ("milli", 999.0, 0.001, 0.25),
    ]:
        lam, s = mpf(arrivals), mpf(service)
        load = lam * s
        wait = load * s * (1 + mpf(variation)) / 2 / (1 - load)
        add(f"mg1.{name}.Wq", "M/G/1 FCFS", {"lambda_": arrivals, "S": service, "scv": variation}, "mean waiting time", wait,
            "Pollaczek-Khinchine with 50 digits")
        add(f"mg1ps.{name}", "M/G/1 processor sharing", {"lambda_": arrivals, "S": service}, "mean sojourn time", s / (1 - load),
            "arithmetic with 50 digits")
    for name, arrivals, service, tails in [
        ("r1e-9", 1e-9, 1.0, (0.5, 0.01)), ("r.001", 0.001, 1.0, (0.01, 1e-4, 1e-6)), ("r.1", 0.1, 1.0, (0.5, 0.05, 0.01, 1e-6)),
        ("r.5", 0.5, 1.0, (0.5, 0.4, 0.1, 0.01, 1e-6)), ("r.8", 0.8, 1.0, (0.5, 1e-4, 1e-6)), ("r.95", 95.0, 0.01, (0.5, 0.01, 1e-4)),
        ("r.99", 0.99, 1.0, (0.5, 0.01)), ("r.9999", 0.9999, 1.0, (0.5, 0.01, 1e-6)), ("edge", 1 - 1e-9, 1.0, (0.5, 0.01, 1e-6)),
        ("odd", 3.33, 0.3003, (0.1, 0.01)),
    ]:
        load = mpf(arrivals) * mpf(service)
        for tail in tails:
            text, exact = percent(tail)
            if 1 - (1 - load) <= exact:
                value = mpf(0)
            else:
                theta = decay_of(load)
                high = log(1 / exact) / theta * 2 + 3
                low = mpf(0)
                value = bisect(lambda t: exact - constant_wait_tail(load, t), low, high, 110 if high < 400 else 300) * mpf(service)
            add(f"md1.{name}.p{text}", "M/D/1", {"lambda_": arrivals, "S": service}, f"waiting-time p{text}", value,
                "Crommelin's sum with many digits, or the leading exponential far out", 1e-9 if value else 0, "rel" if value else "abs")
    for high, low, mu in [(0.1, 0.2, 1.0), (0.5, 0.499999, 1.0), (30.0, 60.0, 100.0), (1e-9, 0.9, 1.0), (0.0, 0.5, 1.0)]:
        params = {"lambda_high": high, "lambda_low": low, "mu": mu}
        first, both = mpf(high) / mpf(mu), (mpf(high) + mpf(low)) / mpf(mu)
        rest = both / mpf(mu)
        add(f"prio.{high:g}.{low:g}.high", "M/M/1 non-preemptive priority", params, "mean wait high", rest / (1 - first), "Cobham 1954")
        add(f"prio.{high:g}.{low:g}.low", "M/M/1 non-preemptive priority", params, "mean wait low", rest / (1 - first) / (1 - both), "Cobham 1954",
            1e-8)
    for arrivals, rate in [(1e-9, 1.0), (0.01, 1.0), (0.2, 1.0), (0.5, 1.0), (0.72, 1.0), (0.95, 1.0), (0.9999, 1.0), (1 - 1e-9, 1.0), (333.0, 1000.0)]:
        lam, mu = mpf(arrivals), mpf(rate)
        with workdps(80):
            spare = bisect(lambda x: x - 1 + exp(-mu * x / lam), (1 - lam / mu) / 2, 1)
            root = exp(-mu * spare / lam)
        params = {"lambda_": arrivals, "mu": rate}
        if root > mpf(10) ** -300:
            add(f"dm1.{arrivals:.10g}.PW", "D/M/1", params, "P(wait)", root, "bisection with 80 digits")
            add(f"dm1.{arrivals:.10g}.Wq", "D/M/1", params, "mean waiting time", root / mu / spare, "bisection with 80 digits")
    for batches, size, rate in [(0.07, 10, 1.0), (0.0999999999, 10, 1.0), (1e-9, 1, 1.0), (0.9, 1, 1.0), (9.99, 100, 1000.0), (0.3, 3, 0.91)]:
        with workdps(50):
            # The first of a batch finds L; an average one waits for half of the others of its batch.
            load = mpf(batches) * size / mpf(rate)
            work = mpf(batches) * (size * mpf(1) / mpf(rate) ** 2 + mpf(size) ** 2 / mpf(rate) ** 2) / 2 / (1 - load)
            sojourn = work + mpf(size - 1) / 2 / mpf(rate) + 1 / mpf(rate)
        add(f"mxm1.{batches:g}.{size}", "M^[X]/M/1 fixed batch", {"batch_rate": batches, "batch": size, "mu": rate}, "mean sojourn time",
            sojourn, "work found by a batch (Pollaczek-Khinchine of whole batches) and half of the own batch")
    for load, s, ca, cs in [(1e-9, 1.0, 1.0, 1.0), (0.5, 2.0, 0.0, 0.0), (1 - 1e-9, 0.5, 1.0, 3.0), (0.9, 0.01, 4.0, 0.3)]:
        value = mpf(load) / (1 - mpf(load)) * (mpf(ca) + mpf(cs)) / 2 * mpf(s)
        add(f"kingman.{load:.10g}", "GI/G/1 (Kingman approximation)", {"rho": load, "S": s, "ca2": ca, "cs2": cs}, "mean waiting time", value,
            "arithmetic with 50 digits")
    for lam, s, servers, ca, cs in [(0.5, 1.0, 1, 1.0, 1.0), (3.0, 0.33, 1, 2.0, 1.0), (9.9, 1.0, 10, 1.0, 0.0), (2999.9, 0.0333, 100, 1.0, 2.0),
                                    (333.333, 0.03, 10, 1.0, 1.0), (9999.99, 1.0, 10000, 0.5, 0.5)]:
        offered = mpf(lam) * mpf(s)
        waiting = erlangs(servers, offered)[1]
        value = waiting * mpf(s) / (servers - offered) * (mpf(ca) + mpf(cs)) / 2
        add(f"allen_cunneen.{lam:g}.c{servers}", "M/G/c (Allen-Cunneen approximation)",
            {"lambda_": lam, "S": s, "c": servers, "ca2": ca, "cs2": cs}, "mean waiting time", value, "Erlang C from the states, 50 digits")
    for lam, s in [(1e-9, 1.0), (1e6, 0.25), (33.0, 0.033)]:
        add(f"mminf.{lam:g}", "M/M/inf (infinite server / delay)", {"lambda_": lam, "S": s}, "mean number in system", mpf(lam) * mpf(s), "Little")


def impatience():
    for name, lam, mu, servers, theta in [
        ("light", 1e-3, 1.0, 1, 1.0), ("one", 0.9, 1.0, 1, 0.1), ("over", 5.0, 1.0, 1, 0.01), ("flood", 1000.0, 1.0, 1, 5.0),
        ("patient", 9.5, 1.0, 10, 1e-6), ("full.patient", 10.0, 1.0, 10, 1e-6), ("hasty", 10.0, 1.0, 10, 1e6), ("large", 1000.0, 1.0, 1000, 0.5),
        ("large.over", 1100.0, 1.0, 1000, 0.1), ("wide", 10000.0, 1.0, 10000, 1.0), ("deep", 2e6, 1.0, 2, 1.0), ("idle", 1.0, 1.0, 100, 1.0),
    ]:
        a, m, t = mpf(lam), mpf(mu), mpf(theta)
        with workdps(40):
            weight, total, busy, queue, waits = mpf(1), mpf(1), mpf(0), mpf(0), mpf(0)
            if servers == 0 or lam > 0:
                n = 0
                waits = mpf(1) if servers == 0 else mpf(0)
                while True:
                    n += 1
                    weight *= a / (min(n, servers) * m + max(0, n - servers) * t)
                    total += weight
                    busy += min(n, servers) * weight
                    if n >= servers:
                        queue += (n - servers) * weight
                        waits += weight
                    if n > servers and a < servers * m + (n - servers) * t and weight * n < mpf(10) ** -30 * min(queue, total):
                        break
        params = {"lambda_": lam, "mu": mu, "c": servers, "theta": theta}
        model = "M/M/c+M (Erlang A)"
        source = "states summed with 40 digits"
        tolerance = 1e-9
        add(f"erlangA.{name}.Pab", model, params, "abandon probability", t * queue / total / a, source, tolerance)
        add(f"erlangA.{name}.Wq", model, params, "mean wait of all (incl. abandoning)", queue / total / a, source, tolerance)
        add(f"erlangA.{name}.PW", model, params, "P(wait)", waits / total, source, tolerance)
        add(f"erlangA.{name}.X", model, params, "throughput", m * busy / total, source, tolerance)
        add(f"erlangA.{name}.L", model, params, "mean number in system", (queue + busy) / total, source, tolerance)


# ---------------------------------------------------------------- several stations

def hops():
    for name, lam, rates, tails in [
        ("mixed", 500.0, [1000.0, 700.0, 800.0], (0.5, 0.1, 1e-3, 1e-6)), ("alike", 500.0, [1000.0] * 3, (0.5, 0.01, 1e-6)),
        ("nearly", 1.0, [2.0, 2.0000001, 1.9999999], (0.5, 0.01, 1e-6)), ("edge", 0.999999, [1.0, 2.0, 50.0], (0.5, 0.01)),
        ("ten", 90.0, [100.0] * 10, (0.5, 0.01, 1e-6)), ("far", 1.0, [2.0, 1e6, 3.0], (0.5, 0.01)), ("one", 1.0, [2.0], (0.5, 0.01)),
    ]:
        is_alike = len(set(rates)) < len(rates)
        with workdps(700 if is_alike else 120):
            # Equal rates are told apart by 1e-60 of themselves: partial fractions then cancel 60 digits for each hop, of 700.
            step = mpf(10) ** -60 if is_alike else mpf(0)
            spare = [(mpf(rate) - mpf(lam)) * (1 + index * step) for index, rate in enumerate(rates)]
            parts = []
            for i, own in enumerate(spare):
                part = mpf(1)
                for j, other in enumerate(spare):
                    if i != j:
                        part *= other / (other - own)
                parts.append(part)
            for tail in tails:
                text, exact = percent(tail)
                value = bisect(lambda t: exact - sum(p * exp(-r * t) for p, r in zip(parts, spare)), 0,
                               sum(log(len(spare) / exact) / r for r in spare), 130)
                add(f"tandem.{name}.p{text}", "tandem M/M/1 x3 (Burke: independent exponential sojourns)", {"lambda_": lam, "mu": rates},
                    f"end-to-end p{text}", value, "partial fractions with hundreds of digits, bisection")
                add(f"tandem.{name}.sum_p{text}", "tandem M/M/1 x3", {"lambda_": lam, "mu": rates}, f"sum of per-hop p{text}",
                    sum(-log(exact) / r for r in spare), "quantiles of exponentials, added")
    for clients, think, s, servers in [(1, 1.0, 0.1, 1), (10, 0.0, 0.1, 3), (1000, 1.0, 0.01, 5), (200, 5.0, 0.02, 1), (10000, 10.0, 0.5, 400),
                                       (100000, 1000.0, 0.01, 1), (50, 1.0, 0.1, 50), (50, 1e-6, 0.1, 4), (5, 1e9, 1.0, 2)]:
        params = {"N": clients, "think": think, "S": s, "c": servers}
        if think == 0.0:
            value = max(mpf(clients), servers) / servers * mpf(s)
        else:
            weight, total, busy, number = mpf(1), mpf(1), mpf(0), mpf(0)
            for n in range(1, clients + 1):
                weight *= (clients - n + 1) * mpf(s) / mpf(think) / min(n, servers)
                total += weight
                busy += min(n, servers) * weight
                number += n * weight
            value = number / (busy / mpf(s))
        add(f"finite_src.N{clients}.c{servers}.Z{think:g}", "M/M/4//50 closed clients + pool", params, "mean response", value,
            "states summed with 50 digits, Little")
    for alpha, beta in [(0.0, 1e-6), (0.5, 0.1), (0.03, 1e-12), (1.0, 0.5), (0.999999, 1e-4)]:
        add(f"usl.{alpha:g}.{beta:g}", "Universal Scalability Law", {"alpha": alpha, "beta": beta}, "N at peak throughput sqrt((1-a)/b)",
            sqrt((1 - mpf(alpha)) / mpf(beta)), "arithmetic with 50 digits")
    for parts, lam, mu in [(2, 1e-9, 1.0), (2, 0.999999, 1.0), (2, 333.0, 1000.0), (1, 0.5, 1.0)]:
        rho = mpf(lam) / mpf(mu)
        value = 1 / (mpf(mu) - mpf(lam)) * (1 if parts == 1 else (12 - rho) / 8)
        add(f"forkjoin.K{parts}.{lam:g}", "fork-join K=2, M/M/1 siblings", {"lambda_": lam, "mu": mu, "K": parts}, "mean response (exact)", value,
            "Flatto & Hahn 1984")
    for parts, lam in [(3, 0.9), (32, 0.1), (1000, 0.5), (1000000, 0.95)]:
        ratio = harmonic(parts) / mpf(1.5)
        value = (ratio + mpf(4) / 11 * (1 - ratio) * mpf(lam)) * (12 - mpf(lam)) / 8 / (1 - mpf(lam))
        add(f"forkjoin.nt.K{parts}.{lam:g}", "fork-join K, Nelson-Tantawi approximation", {"lambda_": lam, "mu": 1.0, "K": parts},
            "mean response (approx)", value, "Nelson & Tantawi 1988, harmonic numbers with 50 digits")
    for n in (1, 2, 256, 257, 1000, 10**6, 10**9, 10**12):
        params = {"n": n, "mu": 2.0}
        add(f"fanout.max.n{n}", "parallel fan-out to n idle Exp(1) servers", params, "mean of max = H_n", harmonic(mpf(n)) / 2,
            "harmonic numbers with 50 digits")
        add(f"fanout.p99.n{n}", "parallel fan-out to n idle Exp(1) servers", params, "p99 of max", -log(1 - mpf(1 - 0.01) ** (mpf(1) / n)) / 2,
            "order statistics with 50 digits")
    for n, p in [(1, 0.5), (0, 0.5), (10, 0.0), (10, 1.0), (1000, 1e-12), (10**9, 1e-9), (100, 0.001), (5, 1e-15)]:
        add(f"tail_at_scale.n{n}.p{p:g}", "fan-out 100, leaf slow prob 1%", {"n": n, "p": p}, "P(at least one slow)", 1 - (1 - mpf(p)) ** n,
            "arithmetic with 50 digits")
    for p in (0.0, 1e-9, 0.05, 1.0):
        add(f"hedge.p{p:g}", "hedged request, independent, each slow with p", {"p": p}, "P(both slow)", mpf(p) ** 2, "arithmetic")
    for d, lam, mu in [(1, 0.5, 1.0), (2, 1e-9, 1.0), (2, 0.9, 1.0), (2, 0.999, 1.0), (2, 1 - 1e-9, 1.0), (2, 990.0, 1000.0), (3, 1 - 1e-9, 1.0),
                       (5, 0.7, 2.0), (100, 0.99, 1.0), (1, 1 - 1e-9, 1.0)]:
        rho, total, i = mpf(lam) / mpf(mu), mpf(0), 1
        while True:
            term = rho ** (i - 1) if d == 1 else rho ** ((mpf(d) ** i - d) / (d - 1))
            if d == 1:
                total = 1 / (1 - rho)
                break
            total += term
            if term < mpf(10) ** -45:
                break
            i += 1
        add(f"pod.d{d}.{lam:.10g}", "power-of-d choices, n->inf mean field", {"d": d, "lambda_": lam, "mu": mu}, "mean sojourn time",
            total / mpf(mu), "sum with 50 digits")


# ---------------------------------------------------------------- retries, throttles

def retries():
    for p, r in [(0.0, 0), (0.0, 3), (1.0, 0), (1.0, 3), (1.0, 1000), (0.5, 0), (0.5, 60), (1e-9, 3), (1 - 1e-9, 3), (1 - 1e-9, 1000000),
                 (0.999, 10000), (0.9999, 100000), (0.01, 2), (1e-12, 5)]:
        params = {"p_fail": p, "retries": r}
        fails = mpf(p) ** (r + 1)
        tries = mpf(r + 1) if p == 1.0 else (1 - fails) / (1 - mpf(p))
        add(f"retry.attempts.p{p:.10g}.r{r}", "bounded retries, independent failures", params, "expected attempts per request", tries,
            "geometric sum with 50 digits")
        add(f"retry.success.p{p:.10g}.r{r}", "bounded retries, independent failures", params, "success probability", 1 - fails,
            "geometric sum with 50 digits", *((0, "abs") if p == 1.0 else (1e-9, "rel")))
    for attempts, layers in [(1, 7), (2, 10), (3, 0), (10, 20), (1.11, 3), (1.0, 1)]:
        add(f"retry.layers{attempts}x{layers}", "3 attempts at each of 5 layers", {"attempts": attempts, "layers": layers},
            "worst-case amplification", mpf(attempts) ** layers, "arithmetic with 50 digits")
    for budget in (0.0, 0.2, 1.0):
        add(f"retry.budget{budget:g}", "retry budget 10% of requests", {"budget": budget}, "max amplification", 1 + mpf(budget), "arithmetic")
    for mu, r in [(1000.0, 0), (1000.0, 1), (0.001, 9), (1e6, 100)]:
        add(f"retry.threshold.{mu:g}.r{r}", "no-cancel timeouts, r retries, capacity mu", {"mu": mu, "retries": r},
            "vulnerable-load threshold mu/(1+r)", mpf(mu) / (1 + r), "arithmetic")
    for requests, accepts, k in [(0, 0, 2), (1000, 1000, 2), (1000, 500, 2), (1000, 499, 2), (1000, 0, 2), (1e9, 1e6, 1.1), (1, 0, 1)]:
        value = max(mpf(0), (mpf(requests) - mpf(k) * mpf(accepts)) / (mpf(requests) + 1))
        add(f"throttle.{requests:g}.{accepts:g}.{k:g}", "client adaptive throttling", {"requests": requests, "accepts": accepts, "K": k},
            "local reject probability", value, "arithmetic with 50 digits", *((0, "abs") if value == 0 else (1e-9, "rel")))
    for rate, burst, offered, seconds in [(0, 0, 10, 5), (0, 200, 1000, 1), (100, 0, 1000, 1), (100, 200, 0, 1), (100, 200, 1000, 0),
                                          (100, 200, 100, 3600), (100, 200, 200, 2), (100, 200, 200, 2.5), (1e6, 1, 2e6, 0.001)]:
        admitted = min(mpf(offered) * mpf(seconds), mpf(burst) + mpf(rate) * mpf(seconds))
        add(f"token_bucket.{rate:g}.{burst:g}.{offered:g}.{seconds:g}", "token bucket",
            {"rate": rate, "burst": burst, "offered": offered, "seconds": seconds}, "admitted requests", admitted, "arithmetic", 1e-9, "abs")


# ---------------------------------------------------------------- popularity and caches

def h(n, s):
    """H(n, s) by Hurwitz's zeta function, or by a sum where the exponent is a pole or the numbers are few."""
    s = mpf(s)
    if n <= 2000:
        return sum(mpf(k) ** -s for k in range(1, n + 1))
    if s == 1:
        return harmonic(mpf(n))
    if s == 0:
        return mpf(n)
    with workdps(60):
        return zeta(s) - zeta(s, n + 1)


def shares(n, s):
    total = h(n, s)
    return [mpf(k) ** -mpf(s) / total for k in range(1, n + 1)]


GAUSS_ORDER = 40


@lru_cache(None)
def legendre(order):
    """Nodes and weights of Gauss-Legendre quadrature, by Newton's method."""
    found = []
    for index in range(1, order + 1):
        x = cos(pi * (index - mpf(1) / 4) / (order + mpf(1) / 2))
        for _ in range(60):
            before, here = mpf(1), x
            for k in range(2, order + 1):
                before, here = here, ((2 * k - 1) * x * here - (k - 1) * before) / k
            slope = order * (x * here - before) / (x * x - 1)
            step = here / slope
            x -= step
            if abs(step) < mpf(10) ** -45:
                break
        found.append((x, 2 / ((1 - x * x) * slope * slope)))
    return found


def key_sum_nodes(n, s, direct=6000):
    """Ranks with weights for sums over all keys: the first ones one by one; then an integral over ln k by Gauss-Legendre, with the two
    first Euler-Maclaurin end terms taken from differences. Good to about 1e-17 of the terms near `direct`."""
    total = h(n, s)
    nodes = [(mpf(k) ** -mpf(s) / total, mpf(1)) for k in range(1, min(n, direct) + 1)]
    if n > direct:
        low, high = log(mpf(direct) + mpf(1) / 2), log(mpf(n) + mpf(1) / 2)
        panels = int((high - low) * 3) + 1
        width = (high - low) / panels
        for panel in range(panels):
            middle = low + (panel + mpf(1) / 2) * width
            for x, weight in legendre(GAUSS_ORDER):
                rank = exp(middle + x * width / 2)
                nodes.append((rank ** -mpf(s) / total, weight * width / 2 * rank))
        # −(f'(b) − f'(a))/24 + 7/5760·(f'''(b) − f'''(a))
        for rank, sign in ((exp(high), -1), (exp(low), 1)):
            d = rank * mpf(10) ** -4
            for shift, factor in ((d, 1), (-d, -1)):
                nodes.append(((rank + shift) ** -mpf(s) / total, sign * factor / (2 * d) / 24))
            for shift, factor in ((2 * d, mpf(1) / 2), (d, -1), (-d, 1), (-2 * d, -mpf(1) / 2)):
                nodes.append(((rank + shift) ** -mpf(s) / total, -sign * factor * 7 / (5760 * d ** 3)))
    return nodes


def che(n, s, capacity):
    """Characteristic time and hit ratio, from what is missing: Σ e^(−qt) = N − C."""
    nodes = key_sum_nodes(n, s)
    absent = mpf(n - capacity)

    def gone(time):
        return sum(weight * exp(-q * time) for q, weight in nodes)

    low, high = mpf(capacity) / 2, mpf(capacity) * 2
    while gone(high) > absent:
        low, high = high, high * 4
    # Bisection on the logarithm of the time, then the secant method.
    for _ in range(12):
        middle = sqrt(low * high)
        if gone(middle) > absent:
            low = middle
        else:
            high = middle
    x0, x1 = low, high
    f0, f1 = log(gone(x0) / absent), log(gone(x1) / absent)
    for _ in range(40):
        if f1 == f0:
            break
        x2 = x1 - f1 * (x1 - x0) / (f1 - f0)
        x0, f0, x1 = x1, f1, x2
        f1 = log(gone(x1) / absent)
        if abs(x1 - x0) < mpf(10) ** -30 * x1:
            break
    miss = sum(weight * q * exp(-q * x1) for q, weight in nodes)
    mass = sum(weight * q for q, weight in nodes)
    return x1, 1 - miss / mass


def caches():
    with workdps(34):
        legendre.cache_clear()
        points = []
        for s in (0, 0.5, 0.8, 0.99, 1, 1.0000001, 1.2, 3):
            for n, capacities in [(10, (1, 5, 9)), (1000, (1, 100, 999)), (100000, (1, 1000, 99999)), (10**9, (1, 1000, 10**7, 9 * 10**8))]:
                points += [(n, s, capacity) for capacity in capacities]
        for s in (0, 0.8, 1.2):
            points += [(10**9, s, 10**9 - 1)]
        points += [(10**12, 0.99, 10**9), (2, 1, 1), (50000, 0.7, 20000)]
        for n, s, capacity in points:
            if n >= 10**9 and s == 3 and capacity > 10**7:
                continue  # The last keys are asked for once in 1e27 requests.
            time, hits = che(n, s, capacity)
            params = {"N": n, "zipf_s": s, "capacity": capacity}
            source = "sums over the keys with 34 digits, the far ones by quadrature; secant method"
            add(f"lru.che.N{n}.s{s}.C{capacity}", "LRU cache, IRM Zipf, Che approximation", params, "hit ratio", hits, source)
            add(f"lru.che.tC.N{n}.s{s}.C{capacity}", "LRU characteristic time (in requests)", params, "t_C", time, source)
        for n, capacity in [(10, 10), (10, 11), (10**9, 10**9), (10**9, 10**12)]:
            add(f"lru.che.N{n}.full.C{capacity}", "LRU cache, IRM Zipf, Che approximation", {"N": n, "zipf_s": 0.99, "capacity": capacity},
                "hit ratio", 1, "everything fits")
    for s in (0, 0.5, 0.8, 0.99, 1, 1.0000001, 1.2, 3):
        for n, capacity in [(10, 3), (5000, 4999), (10**6, 10**5), (10**9, 1), (10**9, 10**7), (10**9, 10**9 - 1), (10**12, 10**6)]:
            add(f"lfu.top.N{n}.s{s}.C{capacity}", "perfect LFU / static top-C, IRM Zipf", {"N": n, "zipf_s": s, "capacity": capacity},
                "hit ratio", h(capacity, s) / h(n, s), "Hurwitz's zeta function with 60 digits", 1e-9)
        for n in (1, 4096, 4097, 10**9):
            add(f"zipf.top1.N{n}.s{s}", "Zipf s=1", {"N": n, "s": s}, "share of hottest key", 1 / h(n, s), "Hurwitz's zeta function with 60 digits")
        add(f"hotshard.s{s}", "hash sharding, 16 shards, Zipf s=1 N=1e6, hottest key alone", {"shards": 64, "N": 10**9, "s": s},
            "expected load share of shard with hottest key", 1 / h(10**9, s) + (1 - 1 / h(10**9, s)) / 64, "Hurwitz's zeta function with 60 digits")
    for s in (0.5, 1, 2):
        for capacity in (1, 2, 4, 5):
            q = shares(6, s)
            hit = mpf(0)
            for order in permutations(range(6), capacity):
                probability, left = mpf(1), mpf(1)
                for key in order:
                    probability *= q[key] / left
                    left -= q[key]
                hit += probability * sum(q[key] for key in order)
            params = {"N": 6, "zipf_s": s, "capacity": capacity}
            add(f"lru.exact.s{s}.C{capacity}", "LRU cache, IRM Zipf s=1 N=6 (exact)", params, "hit ratio", hit, "all orders of last uses")
            weights = {}
            for held in combinations(range(6), capacity):
                weight = mpf(1)
                for key in held:
                    weight *= q[key]
                weights[held] = weight
            total = sum(weights.values())
            hit = sum(weight * sum(q[key] for key in held) for held, weight in weights.items()) / total
            add(f"fifo.exact.s{s}.C{capacity}", "FIFO = RANDOM cache, IRM Zipf s=1 N=6 (exact product form)", params, "hit ratio", hit,
                "all sets of keys")
    for rate, ttl in [(0.0, 10.0), (1e-9, 1.0), (1000.0, 60.0), (1e-12, 1e-3), (0.5, 0.0)]:
        params = {"rate": rate, "ttl": ttl}
        asked = mpf(rate) * mpf(ttl)
        add(f"ttl.fill.{rate:g}.{ttl:g}", "TTL cache, Poisson key, TTL from fill", params, "hit ratio lT/(1+lT)", asked / (1 + asked), "arithmetic")
        add(f"ttl.reset.{rate:g}.{ttl:g}", "TTL cache, TTL reset on hit", params, "hit ratio 1-exp(-lT)", 1 - exp(-asked), "50 digits")
        add(f"stampede.{rate:g}.{ttl:g}", "cache stampede, no coalescing", {"key_rate": rate, "recompute_s": ttl},
            "expected duplicate recomputations per expiry (1+lambda*R)", 1 + asked, "arithmetic")
    for hit in (0.0, 0.5, 0.99, 1 - 1e-9):
        add(f"cache.cold.{hit:.10g}", "cold cache multiplier", {"hit": hit}, "backend load multiplier when hit ratio goes to 0", 1 / (1 - mpf(hit)),
            "arithmetic")
    for hit, first, second in [(0.0, 1.0, 50.0), (1.0, 1.0, 50.0), (0.999999, 0.5, 5.0)]:
        add(f"cache.latency.{hit:g}", "mean latency with cache", {"hit": hit, "t_hit_ms": first, "t_miss_ms": second},
            "mean ms (miss pays both)", mpf(hit) * mpf(first) + (1 - mpf(hit)) * (mpf(first) + mpf(second)), "arithmetic")


# ---------------------------------------------------------------- availability and estimates

def availability():
    for k, n, a in [(1, 1, 0.5), (0, 3, 0.9), (3, 3, 0.999), (1, 3, 0.999), (1, 10, 0.1), (500, 1000, 0.5), (990, 1000, 0.995), (999, 1000, 0.999),
                    (1000, 1000, 0.999), (1, 1000, 1e-6), (2, 1000, 1e-6), (1000, 1000, 1 - 1e-12), (1, 1000, 1 - 1e-12), (5, 9, 0.0),
                    (5, 9, 1.0), (700, 1000, 0.6), (100, 1000, 0.05), (1000, 1000, 0.5), (51, 101, 0.9)]:
        p = mpf(a)
        value = sum(binomial(n, i) * p ** i * (1 - p) ** (n - i) for i in range(k, n + 1))
        add(f"avail.{k}of{n}.{a:.13g}", "k-of-n independent replicas", {"k": k, "n": n, "a": a}, "availability", value,
            "binomial sum with 50 digits", *((0, "abs") if value == 0 else (1e-11 if n >= 100 else 1e-12, "rel")))
        down = sum(binomial(n, i) * p ** i * (1 - p) ** (n - i) for i in range(0, k))
        if down > mpf(10) ** -300 or down == 0:
            add(f"avail.{k}of{n}.{a:.13g}.down", "k-of-n independent replicas", {"k": k, "n": n, "a": a}, "unavailability", down,
                "binomial sum with 50 digits", *((0, "abs") if down == 0 else (1e-9, "rel")))
    for n, a in [(0, 0.9), (1, 0.9), (1000, 0.9999), (30, 1.0), (30, 0.0), (1000, 1 - 1e-12)]:
        add(f"avail.serial{n}.{a:.13g}", "5 serial dependencies at 99.9%", {"n": n, "a": a}, "availability", mpf(a) ** n, "50 digits", 1e-12)
    for up, down in [(1.0, 0.0), (0.0, 1.0), (1e9, 1e-3), (720.0, 720.0)]:
        add(f"avail.mtbf.{up:g}.{down:g}", "MTBF/MTTR", {"mtbf_h": up, "mttr_h": down}, "availability", mpf(up) / (mpf(up) + mpf(down)),
            "arithmetic", 1e-12)
    for objective, days in [(0.0, 30.0), (1.0, 30.0), (0.999999, 30.0), (0.99, 365.0), (1 - 1e-9, 90.0)]:
        add(f"budget.{objective:.10g}.{days:g}d", "error budget (time)", {"slo": objective, "days": days}, "allowed downtime minutes",
            (1 - mpf(objective)) * mpf(days) * 1440, "arithmetic with 50 digits")
    for objective, requests in [(0.0, 1e6), (1.0, 1e6), (0.9995, 1e12), (0.99, 0)]:
        add(f"budget.requests.{objective:g}.{requests:g}", "error budget (requests)", {"slo": objective, "requests": requests},
            "allowed failed requests", (1 - mpf(objective)) * mpf(requests), "arithmetic with 50 digits")
    for window, burn, days in [(1.0, 0.0, 30.0), (720.0, 1.0, 30.0), (6.0, 6.0, 30.0), (72.0, 1.0, 28.0), (1.0, 1000.0, 30.0)]:
        add(f"budget.burn.{window:g}.{burn:g}.{days:g}", "burn rate", {"window_h": window, "burn": burn, "slo_days": days},
            "fraction of budget consumed", mpf(window) * mpf(burn) / (mpf(days) * 24), "arithmetic")
    for objective, burn in [(0.999, 1000.0), (0.999, 2000.0), (0.99, 6.0), (1.0, 5.0), (0.9, 0.0)]:
        add(f"budget.rate.{objective:g}.{burn:g}", "burn rate", {"slo": objective, "burn": burn}, "error rate at that burn",
            min(mpf(1), mpf(burn) * (1 - mpf(objective))), "arithmetic with 50 digits; no more than all can fail")
    for base, spike, length, capacity in [(0.0, 10.0, 60.0, 1.0), (999.999, 2000.0, 60.0, 1000.0), (1000.0, 1000.0, 60.0, 3000.0), (1.0, 1e9, 1e-3, 1e6),
                                          (10.0, 30.0, 0.0, 20.0)]:
        params = {"base": base, "spike": spike, "spike_s": length, "capacity": capacity}
        backlog = max(mpf(0), (mpf(spike) - mpf(capacity)) * mpf(length))
        add(f"queue.backlog.{base:g}.{spike:g}.{length:g}", "fluid backlog, 10x spike", params, "backlog at end of spike", backlog, "arithmetic")
        add(f"queue.drain.{base:g}.{spike:g}.{length:g}", "fluid drain time after spike", params, "seconds to drain",
            backlog / (mpf(capacity) - mpf(base)), "arithmetic with 50 digits")
    for rate, work, target in [(5000, 20, 0.7), (7, 100, 0.7), (0, 20, 0.7), (1000, 1, 1.0), (700, 1, 0.7), (3, 1000, 0.3), (1e6, 13, 0.65)]:
        units = max(1, mp.ceil(mpf(str(rate)) * mpf(str(work)) / 1000 / mpf(str(target))))
        add(f"queue.consumers.{rate:g}.{work:g}.{target:g}", "consumer sizing", {"msgs_per_s": rate, "ms_per_msg": work, "target_util": target},
            "consumers ceil", units, "decimal arithmetic", 0, "abs")
    for rate, each, target in [(48000, 8000, 0.6), (48001, 8000, 0.6), (0, 8000, 0.6), (4800, 8000, 0.6), (1e9, 3, 0.9)]:
        units = max(1, mp.ceil(mpf(str(rate)) / mpf(str(each)) / mpf(str(target))))
        add(f"cap.shards.{rate:g}.{each:g}.{target:g}", "shard count", {"write_qps": rate, "per_node": each, "util": target}, "shards ceil", units,
            "decimal arithmetic", 0, "abs")
    for rps, share, replicas, s in [(10000, 0.0, 4, 0.2), (10000, 1.0, 4, 0.1), (10000, 0.2, 1, 0.05), (1e6, 0.01, 1000, 0.9)]:
        value = (mpf(share) + (1 - mpf(share)) / replicas) * rps * mpf(s) / 1000
        add(f"cap.replicas.{rps:g}.{share:g}.{replicas}", "replicated DB utilisation: every replica applies all writes",
            {"rps": rps, "write_frac": share, "replicas": replicas, "S_ms": s}, "per-node utilisation (reads spread over 4)", value, "arithmetic")
    for rps, latency in [(0, 1.0), (1e6, 1e-6), (333.0, 0.3)]:
        add(f"little.{rps:g}", "Little law", {"rps": rps, "latency_s": latency}, "mean busy connections", mpf(rps) * mpf(latency), "arithmetic")
    for users, actions in [(0, 10), (1, 1), (3e9, 100)]:
        add(f"cap.qps.{users:g}", "DAU to QPS", {"dau": users, "actions": actions}, "average QPS", mpf(users) * actions / 86400, "arithmetic")
    for writes, size, years, copies in [(0, 1000, 5, 3), (1e12, 1e6, 10, 3), (1, 1, 1, 1), (1e6, 300, 0.5, 1.4)]:
        params = {"writes_per_day": writes, "bytes": size, "years": years, "replicas": copies}
        total = mpf(writes) * mpf(size) * mpf(years) * 365 * mpf(copies)
        add(f"cap.storage.{writes:g}.{years:g}", "storage growth", params, "bytes (365 d)", total, "arithmetic")
        add(f"cap.storage.{writes:g}.{years:g}.tib", "storage growth, same", params, "TiB", total / 2 ** 40, "arithmetic")
    for rps, size in [(0, 100), (1e6, 1.5e6)]:
        add(f"cap.bandwidth.{rps:g}", "egress bandwidth", {"rps": rps, "bytes": size}, "Gbit/s", mpf(rps) * mpf(size) * 8 / 10 ** 9, "arithmetic")
    for posts, followers in [(0, 75), (12000, 707.5)]:
        add(f"cap.fanout.{posts:g}", "fan-out on write", {"posts_per_s": posts, "avg_followers": followers}, "timeline writes/s",
            mpf(posts) * mpf(followers), "arithmetic")


for write in (multi_server, erlang, finite_room, general_service, impatience, hops, retries, caches, availability):
    write()
    print(write.__name__, len(CASES), file=sys.stderr)
ids = [case["id"] for case in CASES]
assert len(ids) == len(set(ids)), sorted(name for name in ids if ids.count(name) > 1)
print("[")
print(",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in CASES))
print("]")
