"""Lets a mail server write its indexes and read every mail once: PORT PASSWORD USER."""

import sys

from imapclient import IMAPClient

port, password, user = sys.argv[1:]
with IMAPClient("127.0.0.1", int(port), ssl=False, timeout=600) as client:
    client.login(user, password)
    client.select_folder("INBOX")
    uids = client.search("ALL")
    for at in range(0, len(uids), 1000):  # Dovecot refuses a longer list
        client.fetch(uids[at : at + 1000], ["INTERNALDATE", "RFC822.SIZE"])
    for at in range(0, len(uids), 200):
        client.fetch(uids[at : at + 200], ["BODY.PEEK[]"])
print(f'{{"mails": {len(uids)}}}')
