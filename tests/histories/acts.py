"""What may happen in a history. Each act gets one small number and makes of it what it needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.histories.world import FOLDERS, Act, World
from tests.servers.model_imap import Folder


def _folder(world: World, number: int) -> Folder | None:
    """Mostly INBOX."""
    return world.model.folders.get(FOLDERS[number % 3 == 0])


def deliver(world: World, number: int) -> None:
    folder = _folder(world, number)
    for _ in range(1 + number % 3):
        mail = world.write_mail()
        if folder is not None:
            folder.deliver(mail)


def deliver_twice(world: World, number: int) -> None:
    """The same mail under two numbers of one folder."""
    if folder := _folder(world, number):
        mail = world.write_mail()
        folder.deliver(mail)
        folder.deliver(mail)


def expunge(world: World, number: int) -> None:
    if (folder := _folder(world, number)) and folder.mails:
        folder.mails.pop(sorted(folder.mails)[number % len(folder.mails)])


def move(world: World, number: int) -> None:
    """Somebody drags a mail into the other folder."""
    source, target = (world.model.folders.get(name) for name in FOLDERS[:: 1 if number % 2 else -1])
    if source and target and source.mails:
        target.deliver(source.mails.pop(sorted(source.mails)[number % len(source.mails)]))


def skip_numbers(world: World, number: int) -> None:
    """Numbers that never existed."""
    if folder := _folder(world, number):
        folder.next_uid += 1 + number * 5


def new_epoch(world: World, number: int) -> None:
    """UIDVALIDITY changes and everything is numbered anew, mail that came in the gap too; nobody stays connected."""
    world.standing.hang_up()
    if folder := _folder(world, number):
        mails = list(folder.mails.values())
        folder.validity, folder.next_uid, folder.mails = world.new_validity(), 1, {}
        for mail in mails:
            folder.deliver(mail)
        for _ in range(number % 3):
            folder.deliver(world.write_mail())


def rewind(world: World, number: int) -> None:
    """Restored from a backup: the newest mails are gone, and their numbers are given out again."""
    world.standing.hang_up()
    if (folder := _folder(world, number)) and folder.mails:
        kept = sorted(folder.mails)[: -(1 + number % 3)]
        folder.mails = {uid: folder.mails[uid] for uid in kept}
        folder.next_uid = max(kept, default=0) + 1
        for _ in range(number % 5):
            folder.deliver(world.write_mail())


def reuse(world: World, number: int) -> None:
    """The newest number comes to mean another mail, after a restart."""
    world.standing.hang_up()
    swap(world, number)


def swap(world: World, number: int) -> None:
    """The same, and nobody on an open connection is told."""
    if (folder := _folder(world, number)) and folder.mails:
        folder.mails[max(folder.mails)] = world.write_mail()


def rename(world: World, number: int) -> None:
    """The second folder goes by another name, and back."""
    folders = world.model.folders
    old, new = ("Clients", "Kunden") if "Clients" in folders else ("Kunden", "Clients")
    if old in folders:
        folders[new] = folders.pop(old)


def delete_folder(world: World, number: int) -> None:
    world.model.folders.pop("Clients", None)


def make_folder(world: World, number: int) -> None:
    if "Clients" not in world.model.folders:
        world.model.folders["Clients"] = Folder(world.new_validity())


def omit(world: World, number: int) -> None:
    world.model.faults.fetch_omits = (1 + number % 4) * 0.2


def hide(world: World, number: int) -> None:
    world.model.faults.search_omits = (1 + number % 3) * 0.2


def show_top_late(world: World, number: int) -> None:
    world.model.faults.shows_top_late = True


def lie_about_the_count(world: World, number: int) -> None:
    world.model.faults.exists = number % 5 - 2


def answer_with_the_last(world: World, number: int) -> None:
    world.model.faults.star = True


def chatter(world: World, number: int) -> None:
    world.model.faults.chatter = True


def race(world: World, number: int) -> None:
    world.model.faults.races = 1 + number % 2


def strike(world: World, number: int) -> None:
    faults = world.model.faults
    faults.strike, faults.strike_in = ("bye", "cut", "slow")[number % 3], number // 3 % 12


def hang(world: World, number: int) -> None:
    """Half open: the answer never comes."""
    faults = world.model.faults
    faults.strike, faults.strike_in = "hang", number % 12


def outage(world: World, number: int) -> None:
    """45 days away, while mail comes in."""
    world.model.faults.is_away = True
    world.drop_connection()
    for _ in range(2):
        world.poll()
        world.pass_time(timedelta(days=22, hours=12))
    deliver(world, number)
    deliver(world, number + 1)
    world.model.faults.is_away = False


def calm(world: World, number: int) -> None:
    world.model.calm()


def poll(world: World, number: int) -> None:
    world.poll()


def poll_later(world: World, number: int) -> None:
    world.pass_time(timedelta(seconds=number * 3))
    world.poll()


def die(world: World, number: int) -> None:
    """Killed between two pages."""
    world.poll(most_pages=1 + number % 2)


def restart(world: World, number: int) -> None:
    world.drop_connection()


def prove(world: World, number: int) -> None:
    if world.has_proof:
        world.prove()


def rest(world: World, number: int) -> None:
    world.rest()


ACTS: Final[tuple[Act, ...]] = (
    *(deliver, deliver, deliver, poll, poll_later, poll_later),
    *(deliver_twice, expunge, move, skip_numbers, new_epoch, rewind, reuse, rename, delete_folder, make_folder),
    *(omit, omit, answer_with_the_last, chatter, race, strike, strike, hang),
    *(outage, calm, die, restart, prove, rest),
)
ONLY_A_PROOF_HEALS: Final[tuple[Act, ...]] = (hide, show_top_late, lie_about_the_count, swap)
