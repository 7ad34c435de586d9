"""Checks for test scripts, as check.h has them for programs: a failed one prints itself and the test goes on; it exits with check_done()."""
import sys

n = n_failed = 0


def check(what, ok, detail=""):
    """True where it holds, so that a test can stop short of what would go wrong."""
    global n, n_failed
    n += 1
    if not ok:
        n_failed += 1
        print(f"FAIL {what}{': ' if detail else ''}{detail}")
    return bool(ok)


def check_skip(why):
    """A test that cannot run here says why and is counted as skipped."""
    print(f"skipped: {why}")
    sys.exit(77)


def check_done():
    """The exit status. A test that checked nothing has failed."""
    print(f"{n} checks, {n_failed} failed")
    return 1 if n_failed or not n else 0
