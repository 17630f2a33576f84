#!/usr/bin/python
"""An Ansible module: a client that asks a guest again and again; out, its answers around the longest silence."""

import re
import time
import urllib.request
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: act_watch
short_description: Ask a guest for its page until told to stop
description: [Changes nothing.]
options:
  url: {description: The page., type: str, required: true}
  flag_path: {description: Goes on while this file is there; makes it first., type: path, required: true}
  limit_s: {description: Stops by itself after so many seconds., type: float, default: 300}
  period_s: {description: Pause between two questions., type: float, default: 0.05}
  timeout_s: {description: How long to wait for an answer., type: float, default: 0.5}
author: [hefery]
"""


def ask(url, timeout_s):
    """Return the page's text; None without an answer."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310 - the inventory's own address
            return answer.read(4096).decode("utf-8", "replace")
    except OSError:
        return None


def told(text):
    """Return what the demo guest tells of itself, such as counter and boot; nothing for another guest's page."""
    return dict(re.findall(r"(\w+)=(\S+)", text))


class Watch:
    """Keeps the first answer, the last, and those on both sides of the longest silence."""

    def __init__(self):
        """Begin with nothing heard."""
        self.answers, self.longest_s = 0, 0.0
        self.first = self.last = self.before = self.after = None
        self.at_s = None

    def hear(self, text, at_s):
        """Take an answer's text, and when it came."""
        heard = told(text)
        if self.at_s is None:
            self.first = heard
        elif at_s - self.at_s > self.longest_s:
            self.longest_s, self.before, self.after = at_s - self.at_s, self.last, heard
        self.answers, self.last, self.at_s = self.answers + 1, heard, at_s

    def summary(self):
        """Return everything, for people and programs."""
        return {
            "answers": self.answers,
            "without_answer_s": round(self.longest_s, 3),
            "first": self.first,
            "before": self.before,
            "after": self.after,
            "last": self.last,
        }


def main():
    """Ask until the flag is gone."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "flag_path": {"type": "path", "required": True},
            "limit_s": {"type": "float", "default": 300},
            "period_s": {"type": "float", "default": 0.05},
            "timeout_s": {"type": "float", "default": 0.5},
        },
    )
    given = module.params
    flag, watch = Path(given["flag_path"]), Watch()
    flag.touch()
    end_s = time.monotonic() + given["limit_s"]
    while flag.exists() and time.monotonic() < end_s:
        text = ask(given["url"], given["timeout_s"])
        if text is not None:
            watch.hear(text, time.monotonic())
        time.sleep(given["period_s"])
    module.exit_json(changed=False, **watch.summary())


if __name__ == "__main__":
    main()
