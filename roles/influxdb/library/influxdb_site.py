"""An Ansible module that sets InfluxDB 2 up: in, buckets and tokens as they should be; out, what was changed for that.

The server gives a token's value only when it makes it, so the value is kept in a file of its own beside the server; a
token whose file is gone, or that may do other than it should, is made anew and the one before withdrawn. One that is
rotated is made anew too, but the one before stays valid until it is withdrawn by a run of its own.
"""

import json
import os
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

DOCUMENTATION = """
module: influxdb_site
short_description: Sets InfluxDB 2 up with an organisation, buckets and scoped tokens
description: Repeating it changes nothing; a dry run changes nothing either and tells what it would.
options:
  url: {description: Address of the server., type: str, required: true}
  organisation: {description: The organisation that owns the buckets., type: str, required: true}
  user: {description: The administrator made at the first set-up., type: str, required: true}
  password: {description: The administrator's password., type: str, required: true}
  admin_token: {description: The administrator's token., type: str, required: true}
  retention_days: {description: "Bucket: days, 0 is for ever.", type: dict, required: true}
  tokens: {description: "Name: the buckets to read and to write.", type: dict, required: true}
  token_folder: {description: Where the tokens' values are kept., type: path, required: true}
  tasks: {description: "Name: the Flux of a task of that name.", type: dict, default: {}}
  rotate: {description: The tokens to make anew beside those before., type: list, elements: str, default: []}
  withdraw: {description: Whether to withdraw those before., type: bool, default: false}
  ca_file: {description: Authority to trust for https; the system's own if empty., type: str, default: ""}
  start_limit_s: {description: How long to wait for an answer., type: int, default: 60}
author: hefery
"""

_S_PER_DAY = 86_400
_REQUEST_LIMIT_S = 30
_OURS = "hefery "
_BEFORE = "before hefery "


class Refused(Exception):
    """The server did not do what was asked; `status` is None where it gave no answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Site:
    """A server and what it should hold; `changes` names what was done for that, or would be with `dry_run`."""

    def __init__(self, wanted: dict[str, Any], *, dry_run: bool = False) -> None:
        """`wanted` has the module's options."""
        self._wanted = wanted
        self._dry_run = dry_run
        self.changes: list[str] = []

    def settle(self) -> dict[str, str]:
        """Make everything as it should be; the tokens by name, without those that a dry run did not make."""
        if not self._set_up():
            return {}
        organisation = self._get(f"orgs?org={self._wanted['organisation']}")["orgs"][0]["id"]
        buckets = self._buckets(organisation)
        self._tasks(organisation)
        return self._tokens(organisation, buckets)

    def _set_up(self) -> bool:
        """Whether the server is set up after this."""
        if not self._wait_for_answer()["allowed"]:
            return True
        names = {"username": "user", "password": "password", "org": "organisation", "token": "admin_token"}
        body = {key: self._wanted[name] for key, name in names.items()}
        body["bucket"] = next(iter(self._wanted["retention_days"]))  # it wants one; its retention is corrected after
        self._change("set-up", "POST", "setup", body, token="")
        return not self._dry_run

    def _wait_for_answer(self) -> Any:
        deadline_s = time.monotonic() + self._wanted["start_limit_s"]
        while True:
            try:
                return self._ask("GET", "setup", token="")
            except Refused as refused:
                if self._dry_run and refused.status is None:
                    return {"allowed": True}  # it would be installed first
                if refused.status is not None or time.monotonic() > deadline_s:
                    raise
                time.sleep(0.2)

    def _buckets(self, organisation: str) -> dict[str, str | None]:
        """Make the missing ones, correct retention; their ids by name."""
        found = {bucket["name"]: bucket for bucket in self._get("buckets?limit=100")["buckets"]}
        for name, days in self._wanted["retention_days"].items():
            rules = [{"type": "expire", "everySeconds": int(days) * _S_PER_DAY, "shardGroupDurationSeconds": 0}]
            if name not in found:
                wanted = {"orgID": organisation, "name": name, "retentionRules": rules}
                found[name] = self._change(f"bucket {name}", "POST", "buckets", wanted)
            elif sum(rule["everySeconds"] for rule in found[name]["retentionRules"]) != rules[0]["everySeconds"]:
                self._change(f"retention of {name}", "PATCH", f"buckets/{found[name]['id']}", {"retentionRules": rules})
        return {name: bucket["id"] for name, bucket in found.items()}

    def _tasks(self, organisation: str) -> None:
        """Make the missing ones, correct their Flux, remove those of ours that are wanted no more."""
        found = {task["name"]: task for task in self._get("tasks?limit=500")["tasks"]}
        wanted = {f"{_OURS}{name}": flux for name, flux in self._wanted["tasks"].items()}
        for name, flux in wanted.items():
            body = {"orgID": organisation, "flux": flux, "status": "active"}
            if name not in found:
                self._change(f"task {name}", "POST", "tasks", body)
            elif (found[name]["flux"], found[name]["status"]) != (flux, "active"):
                self._change(f"task {name}", "PATCH", f"tasks/{found[name]['id']}", body)
        for name in sorted(name for name in found if name.startswith(_OURS) and name not in wanted):
            self._change(f"task {name} removed", "DELETE", f"tasks/{found[name]['id']}")

    def _tokens(self, organisation: str, buckets: dict[str, str | None]) -> dict[str, str]:
        """Make the missing ones anew; their values by name."""
        found = self._get("authorizations")["authorizations"]
        values = {}
        for name, allowed in self._wanted["tokens"].items():
            wanted = _wanted(name, allowed, buckets)
            same = [one for one in found if one["description"] == f"{_OURS}{name}"]
            path = Path(self._wanted["token_folder"], name)
            rotated = name in self._wanted["rotate"]
            if not rotated and len(same) == 1 and _permissions(same[0]) == wanted and self._is_valid(path):
                values[name] = path.read_text().strip()
                continue
            made = self._change(f"token {name}", "POST", "authorizations", _authorisation(organisation, name, wanted))
            if not self._dry_run:
                values[name] = made["token"]
                _write(path, made["token"])
                for one in same:
                    self._give_up(one, name, keep=rotated)
        for one in found if self._wanted["withdraw"] else []:
            if one["description"].startswith(_BEFORE):
                self._change(f"{one['description']} withdrawn", "DELETE", f"authorizations/{one['id']}")
        return values

    def _give_up(self, authorisation: dict[str, Any], name: str, *, keep: bool) -> None:
        """Withdraw a token, or `keep` it under another name until all have the one after it."""
        path = f"authorizations/{authorisation['id']}"
        if keep:
            self._ask("PATCH", path, {"description": f"{_BEFORE}{name}"})
        else:
            self._ask("DELETE", path)

    def _is_valid(self, path: Path) -> bool:
        """Whether the server knows the token in the file."""
        try:
            self._ask("GET", "buckets?limit=1", token=path.read_text().strip())
        except FileNotFoundError:
            return False
        except Refused as refused:
            if refused.status != 401:
                raise
            return False
        return True

    def _change(
        self, what: str, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None
    ) -> Any:
        self.changes.append(what)
        return {"id": None} if self._dry_run else self._ask(method, path, body, token)

    def _get(self, path: str) -> Any:
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None) -> Any:
        """The server's answer; the administrator asks unless another `token` is given."""
        url = f"{self._wanted['url']}/api/v2/{path}"
        headers = {"Content-Type": "application/json"}
        if token != "":
            headers["Authorization"] = f"Token {token or self._wanted['admin_token']}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - the role writes http(s)
        try:
            trusted = ssl.create_default_context(cafile=self._wanted["ca_file"] or None)
            with urllib.request.urlopen(request, timeout=_REQUEST_LIMIT_S, context=trusted) as answer:  # noqa: S310 - as above
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            told = error.read()[:300].decode("utf-8", "replace")
            raise Refused(f"{method} {url}: {error.code}: {told}", error.code) from error
        except OSError as error:
            raise Refused(f"{method} {url}: {error}; is the server running?") from error


def _wanted(name: str, allowed: dict[str, list[str]], buckets: dict[str, str | None]) -> set[tuple[str, str | None]]:
    """What a token shall be allowed to do."""
    named = {(action, bucket) for action in ("read", "write") for bucket in allowed.get(action, [])}
    if unknown := sorted({bucket for _, bucket in named} - set(buckets)):
        raise Refused(f"token {name}: there is no bucket {unknown[0]}, only {', '.join(sorted(buckets))}")
    return {(action, buckets[bucket]) for action, bucket in named}


def _authorisation(organisation: str, name: str, permissions: set[tuple[str, str | None]]) -> dict[str, Any]:
    resources = [
        {"action": action, "resource": {"type": "buckets", "id": bucket, "orgID": organisation}}
        for action, bucket in sorted(permissions, key=str)
    ]
    return {"orgID": organisation, "description": f"{_OURS}{name}", "permissions": resources}


def _permissions(authorisation: dict[str, Any]) -> set[tuple[str, str | None]]:
    return {(one["action"], one["resource"].get("id")) for one in authorisation["permissions"]}


def _write(path: Path, value: str) -> None:
    """Replace the file, 0600 from the beginning."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{value}\n")
        file.flush()
        os.fsync(descriptor)
    Path(name).rename(path)


def main() -> None:
    """Do it as Ansible asks."""
    from ansible.module_utils.basic import (  # type: ignore[import-untyped]  # noqa: PLC0415 - Ansible ships no types, tests do without it
        AnsibleModule,
    )

    secret = {"type": "str", "required": True, "no_log": True}
    text, table = {"type": "str", "required": True}, {"type": "dict", "required": True}
    module = AnsibleModule(
        argument_spec={
            "url": text,
            "organisation": text,
            "user": text,
            "password": secret,
            "admin_token": secret,
            "retention_days": table,
            "tokens": {**table, "no_log": False},
            "token_folder": {"type": "path", "required": True, "no_log": False},
            "tasks": {"type": "dict", "default": {}},
            "rotate": {"type": "list", "elements": "str", "default": []},
            "withdraw": {"type": "bool", "default": False},
            "ca_file": {"type": "str", "default": ""},
            "start_limit_s": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    site = Site(module.params, dry_run=module.check_mode)
    try:
        tokens = site.settle()
    except Refused as refused:
        remedy = (
            " The administrator's token is not the one that it was set up with: influxdb_admin_token must be that one."
        )
        module.fail_json(msg=f"{refused}.{remedy if refused.status == 401 else ''}", changes=site.changes)
    module.exit_json(changed=bool(site.changes), changes=site.changes, tokens=tokens)


if __name__ == "__main__":
    main()
