"""Trials: in, a lab that is up; out, what the real thing did in each of many trials, as a report and a table."""
