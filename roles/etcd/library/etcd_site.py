"""An Ansible module that says who may touch which leases in etcd: in, users as they should be; out, what was changed.

Until authentication is on, anybody may do anything: so it is turned on last, by one who has root's password.
"""

import json
import ssl
import time
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from typing import Any

DOCUMENTATION = """
module: etcd_site
short_description: Sets up users in an etcd of Hefery's own
description:
  - Each user may read and write the leases of the guests that are given with it. Other users but root are removed.
  - Nothing is changed where a user would lose the right to a lease that it holds, for which a guest would stand still,
    or that a backup of the guest may be won by. A lease that nobody renews any more is not held.
  - Repeating it changes nothing; a dry run changes nothing either and tells what it would.
options:
  url: {description: Address of a member., type: str, required: true}
  ca_file: {description: The authority that has signed its certificate., type: path, required: true}
  root_password: {description: The password of the user root., type: str, required: true}
  users: {description: "Name: password, and the list of guests.", type: dict, required: true}
  start_limit_s: {description: How long to wait for an answer., type: int, default: 60}
author: hefery
"""

Right = tuple[str | None, str, str]
"""Its kind, and the keys from one to another, as etcd writes them."""

_REQUEST_LIMIT_S = 10
_GIVEN_UP_TTLS = 5
"""Times to live without a renewal: a guard that could not renew for one has paused its guest."""
_NOT_ENABLED = "authentication is not enabled"
_NOT_KNOWN = "authentication failed"


class Refused(Exception):
    """The server did not do what was asked; `status` is None where it gave no answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Site:
    """A cluster and who may use it; `changes` names what was done for that, or would be with `dry_run`."""

    def __init__(self, wanted: dict[str, Any], *, dry_run: bool = False) -> None:
        """`wanted` has the module's options."""
        self._wanted = wanted
        self._dry_run = dry_run
        self._token = ""
        self._tls: ssl.SSLContext | None = None
        self.changes: list[str] = []

    def settle(self) -> str:
        """Make everything as it should be; the cluster's id, empty where a dry run found no server."""
        cluster = self._wait_for_answer()
        if not cluster:
            self.changes.append("authentication")
            return ""
        self._token = self._authenticate("root", self._wanted["root_password"]) or ""
        is_open = not self._token
        users, roles = (
            set(self._ask("auth/user/list").get("users", [])),
            set(self._ask("auth/role/list").get("roles", [])),
        )
        rights = {name: self._rights(name) for name in roles - {"root"}}
        for name, found in rights.items():
            self._refuse_to_withdraw(name, found - self._wanted_rights(name))
        for name, user in self._wanted["users"].items():
            self._settle_role(name, rights.get(name))
            self._settle_user(name, user["password"], is_there=name in users)
        for kind, there in (("user", users), ("role", roles)):
            for name in sorted(there - set(self._wanted["users"]) - {"root"}):
                self._change(
                    f"{kind} {name} removed", f"auth/{kind}/delete", {"name" if kind == "user" else "role": name}
                )
        if is_open:
            self._turn_on(users, roles)
        return cluster

    def _wait_for_answer(self) -> str:
        """The id as etcd writes it, once there is a majority."""
        deadline_s = time.monotonic() + self._wanted["start_limit_s"]
        while True:
            try:
                status = self._ask("maintenance/status")
                if status.get("leader", "0") != "0":
                    return f"{int(status['header']['cluster_id']):x}"
                problem = Refused(f"{self._wanted['url']}: no majority of the members is there")
            except (Refused, FileNotFoundError) as error:
                if self._dry_run and getattr(error, "status", None) is None:
                    return ""  # it would be started first
                problem = error if isinstance(error, Refused) else Refused(str(error))
            if problem.status is not None or time.monotonic() > deadline_s:
                raise problem
            time.sleep(0.2)

    def _authenticate(self, name: str, password: str) -> str | None:
        """A token; None where authentication is not on. Raises Refused for a wrong password."""
        try:
            return str(self._ask("auth/authenticate", {"name": name, "password": password})["token"])
        except Refused as refused:
            if _NOT_ENABLED in str(refused):
                return None
            raise

    def _rights(self, name: str) -> set[Right]:
        known = self._ask("auth/role/get", {"role": name}).get("perm", [])
        return {(one.get("permType"), one["key"], one.get("range_end", "")) for one in known}

    def _wanted_rights(self, name: str) -> set[Right]:
        guests = self._wanted["users"].get(name, {"guests": []})["guests"]
        return {("READWRITE", *_range(f"/hefery/guest/{guest}/")) for guest in guests}

    def _refuse_to_withdraw(self, name: str, rights: set[Right]) -> None:
        """Where it holds the lease that one of them is of, or may have the guest's backup. Raises Refused."""
        for _, key, end in sorted(rights, key=str):
            lease = self._lease(key, end)
            if not (lease.is_held or lease.has_backup) or not self._is_alive(key, end, lease):
                continue
            guest = b64decode(key).decode().strip("/").rpartition("/")[2]
            if lease.is_held and lease.holder in {name, None}:
                raise Refused(
                    f"{guest} is declared for {name} no more, which holds its lease: without the right to it the guest "
                    f"stands still. Declare it again; or end its replication and shut it down (xl shutdown -w {guest}) "
                    f"first"
                )
            if lease.has_backup:
                raise Refused(
                    f"{guest} is declared for {name} no more, which may have its backup: without the right to its "
                    "lease that could not take over. Declare it again; or end its replication first "
                    f"(playbooks/stop-replication.yml -e guest={guest})"
                )

    def _lease(self, key: str, end: str) -> "Lease":
        prefix = b64decode(key).decode()
        pairs = self._ask("kv/range", {"key": key, "range_end": end}).get("kvs", [])
        return Lease({b64decode(one["key"]).decode().removeprefix(prefix): one for one in pairs})

    def _is_alive(self, key: str, end: str, lease: "Lease") -> bool:
        """Whether somebody renews it: who crashed has left it as it was."""
        if lease.ttl_s is None:
            return True
        deadline_s = time.monotonic() + _GIVEN_UP_TTLS * lease.ttl_s
        while self._lease(key, end).revisions == lease.revisions:
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.2)
        return True

    def _settle_role(self, name: str, found: set[Right] | None) -> None:
        if found is None:
            self._change(f"role {name}", "auth/role/add", {"name": name})
            found = set()
        wanted = self._wanted_rights(name)
        for _, key, end in sorted(found - wanted, key=str):
            self._change(f"right of {name} withdrawn", "auth/role/revoke", {"role": name, "key": key, "range_end": end})
        for kind, key, end in sorted(wanted - found, key=str):
            permission = {"permType": kind, "key": key, "range_end": end}
            self._change(f"right of {name}", "auth/role/grant", {"name": name, "perm": permission})

    def _settle_user(self, name: str, password: str, *, is_there: bool) -> None:
        if not is_there:
            self._change(f"user {name}", "auth/user/add", {"name": name, "password": password})
        elif not self._has_password(name, password):
            self._change(f"password of {name}", "auth/user/changepw", {"name": name, "password": password})
        roles = self._ask("auth/user/get", {"name": name}).get("roles", []) if is_there else []
        for role in sorted(set(roles) - {name}):
            self._change(f"role {role} of {name} withdrawn", "auth/user/revoke", {"name": name, "role": role})
        if name not in roles:
            self._change(f"role of {name}", "auth/user/grant", {"user": name, "role": name})

    def _has_password(self, name: str, password: str) -> bool:
        try:
            return self._authenticate(name, password) is not None
        except Refused as refused:
            if _NOT_KNOWN in str(refused):
                return False
            raise

    def _turn_on(self, users: set[str], roles: set[str]) -> None:
        """What was begun before and broke off goes on."""
        password = self._wanted["root_password"]
        verb = "changepw" if "root" in users else "add"
        self._change("user root", f"auth/user/{verb}", {"name": "root", "password": password})
        if "root" not in roles:
            self._change("role root", "auth/role/add", {"name": "root"})
        self._change("role of root", "auth/user/grant", {"user": "root", "role": "root"})
        self._change("authentication", "auth/enable", {})

    def _change(self, what: str, path: str, body: dict[str, Any]) -> None:
        self.changes.append(what)
        if not self._dry_run:
            self._ask(path, body)

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The server's answer."""
        url = f"{self._wanted['url']}/v3/{path}"
        if self._tls is None and url.startswith("https:"):
            self._tls = ssl.create_default_context(cafile=self._wanted["ca_file"])
        headers = {"Authorization": self._token} if self._token else {}
        request = urllib.request.Request(url, json.dumps(body or {}).encode(), headers)  # noqa: S310 - the role writes https://
        try:
            with urllib.request.urlopen(request, timeout=_REQUEST_LIMIT_S, context=self._tls) as answer:  # noqa: S310 - as above
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            told = error.read()[:300].decode("utf-8", "replace")
            raise Refused(f"{url}: {error.code}: {told}", error.code) from error
        except OSError as error:
            raise Refused(f"{url}: {error}; is hefery-etcd.service running on all members?") from error


class Lease:
    """What etcd has of one (failover/lease_record.py); where nobody can tell, what is safe."""

    def __init__(self, pairs: dict[str, dict[str, str]]) -> None:
        """Of pairs as etcd's gateway writes them, by the end of their keys."""
        owner, guest = _said(pairs.get("owner")), _said(pairs.get("guest"))
        self.revisions = {name: pair["mod_revision"] for name, pair in pairs.items()}
        self.is_held = "beat" in pairs
        holder, ttl_s = owner.get("holder"), owner.get("ttl_s")
        self.holder = None if holder is None else str(holder)
        self.ttl_s = float(ttl_s) if isinstance(ttl_s, int | float) else None
        self.has_backup = "guest" in pairs and guest.get("backup") != ""


def _said(pair: dict[str, str] | None) -> dict[str, Any]:
    """Nothing where it is not what Hefery writes."""
    try:
        said = json.loads(b64decode(pair["value"])) if pair else {}
    except (ValueError, KeyError):
        said = {}
    return said if isinstance(said, dict) else {}


def _range(prefix: str) -> tuple[str, str]:
    """All keys that begin with it: up to the next that does not."""
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return b64encode(prefix.encode()).decode(), b64encode(end.encode()).decode()


def main() -> None:
    """Do it as Ansible asks."""
    from ansible.module_utils.basic import (  # type: ignore[import-untyped]  # noqa: PLC0415 - Ansible ships no types, tests do without it
        AnsibleModule,
    )

    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "ca_file": {"type": "path", "required": True},
            "root_password": {"type": "str", "required": True, "no_log": True},
            "users": {"type": "dict", "required": True, "no_log": True},
            "start_limit_s": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    site = Site(module.params, dry_run=module.check_mode)
    try:
        cluster = site.settle()
    except Refused as refused:
        unknown = " Root's password is not the one that it was set up with." if _NOT_KNOWN in str(refused) else ""
        module.fail_json(msg=f"{refused}.{unknown}", changes=site.changes)
    module.exit_json(changed=bool(site.changes), changes=site.changes, cluster_id=cluster)


if __name__ == "__main__":
    main()
