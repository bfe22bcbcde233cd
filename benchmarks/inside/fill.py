"""Fills the home: MESSAGES. Says the ids of a long and of a short conversation."""

import sys

from benchmarks.inside import setup

from benchmarks.filling import Filler  # isort: skip  needs the settings
from inbox import people
from inbox.rules.states import Role

account = setup.connect('{"imap": {"scheme": "imap", "host": "127.0.0.1", "port": 1, "user": "u"}}', "unused")
found: dict[str, object] = dict(Filler(account).fill(int(sys.argv[1])))
owner = people.create_user("owner@bench.example", Role.OWNER, account.created_at, name="Owner")
agent = people.create_user("agent@bench.example", Role.AGENT, account.created_at, name="Agent")
team = people.create_team("Support", account.created_at)
people.add_member(team, agent)
people.let_read(team, account, account.created_at)
setup.answer(found)
