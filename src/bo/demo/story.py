"""The story itself, chapter by chapter."""

from __future__ import annotations

import csv
import shlex
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bo.core.kernel.text import _
from bo.demo import money, shop, team
from bo.demo.stage import Stage

DATA: Final = Path(__file__).parent / "data"
PEOPLE: Final = (
    ("mei", "梅 Mei, reviews", "reviewer"),
    ("dao", "道 Dao, dispatches", "dispatcher"),
    ("west", "西湖旗舰店 West Lake store", "store"),
    ("fang", "方 Fang, finance", "finance"),
    ("guo", "郭 Guo, approves", "approver"),
    ("shu", "舒 Shu, runs the web shop", "manager"),
)
MENDED: Final = {
    "电话见微信": "13800000042",
    "八万左右": "80000",
    "2026/02/30 10:00": "2026/10/30 10:00",
    "D999": "D001",
}


def tell(folder: Path | None, *, pause: bool) -> int:
    """Run every chapter; 0 when all of them came out as told."""
    if folder is not None:
        _chapters(folder.resolve(), stays=True)
        return 0
    temporary = Path(tempfile.mkdtemp(prefix="bo-demo-"))
    try:
        _chapters(temporary / "office", stays=False)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return 0


def _chapters(folder: Path, *, stays: bool) -> None:
    stage = Stage(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    stage.files.parent.mkdir(parents=True, exist_ok=True)
    stage.files.mkdir(exist_ok=True)
    for path in DATA.glob("*.csv"):
        shutil.copyfile(path, stage.files / path.name)
    open_the_office(stage)
    take_leads_in(stage)
    review(stage)
    give_to_stores(stage)
    sell(stage)
    shop.tell(stage)
    settle(stage)
    look_back(stage)
    team.tell(stage)
    _the_end(stage, stays)


def open_the_office(stage: Stage) -> None:
    stage.chapter(
        _("An office"), _("A brand with six shops, in a folder of its own. No server, no account, no network.")
    )
    stage.bo(f"init {shlex.quote(str(stage.office))} --region CN --operator lin", show=2)
    for noun in ("stores", "territories", "referrers"):
        stage.bo(f"{noun} import {noun}.csv -o table")
    for login, name, role in PEOPLE:
        shop = "--store HZ-XIHU" if role == "store" else ""
        stage.quiet(f"operators add --login {login} --name '{name}' --roles {role} {shop}")
    stage.bo("operators list --fields login,name,roles,store -o table")
    first = datetime.now(UTC).astimezone().date().replace(day=1)
    fixed = "--code valid-lead --event valid_lead --kind fixed --amount 50 --cap-month 500"
    percent = "--code order-3 --event won --kind percent --rate 3% --base net --cap-event 2000"
    for rule in (fixed, percent):
        stage.bo(f"reward-rules add {rule} --effective-from {first}", show=0)
    stage.bo("reward-rules activate valid-lead order-3 --yes", show=0)
    stage.bo("reward-rules list --fields code,state,event,kind,amount,rate,base,cap_event,cap_month -o table")


def take_leads_in(stage: Stage) -> None:
    stage.chapter(
        _("Leads come in"),
        _("Two files nobody cleaned: GB18030 with Chinese headers, and semicolons with English ones. First only look:"),
    )
    stage.bo("leads import leads_zh.csv --dry-run -o table", expect=65, show=4)
    stage.say(_("Four rows cannot be read, so nothing would be written. Keep the good ones, put the others aside:"))
    stage.bo("leads import leads_zh.csv --rejects rejects.csv -o table", expect=3)
    mended = _mend(stage.files / "rejects.csv")
    stage.say(_("Mend the {count} cells in that very file, and import it:", count=mended))
    stage.bo("leads import rejects.csv -o table")
    stage.bo("leads import leads_en.csv -o table")
    stage.say(_("The same file again changes nothing:"))
    stage.bo("leads import leads_en.csv -o table")
    stage.say(_("Reported twice, with the phone spelt another way: kept, and pointing to the first."))
    stage.bo("leads list state:duplicate --fields number,name,phone,referrer,duplicate_of --limit 5 -o table")
    stage.bo("leads list 样板间 city:杭州 --fields number,name,city,category,note --limit 3 -o table")


def review(stage: Stage) -> None:
    stage.chapter(_("Review"), _("Mei rejects two with reasons, asks about one, and accepts the rest in one go."))
    waiting = stage.ids("leads", "state:pending_review")
    stage.bo(f"leads reject {waiting[0]} --reason no_intent --note 只是问问", who="mei", show=0)
    stage.bo(f"leads reject {waiting[1]} --reason unreachable", who="mei", expect=76)
    stage.bo(f"leads request-info {waiting[2]} --note 哪一期工程？", who="mei", show=0)
    no_consent = stage.ids("leads", "state:pending_review consent:no", 1)
    stage.bo(
        "leads accept - -o jsonl --yes",
        who="mei",
        stdin="\n".join(waiting[3:]),
        show=2,
        expect=3 if no_consent else 0,
        shown_as="bo leads list state:pending_review -o ids | bo --as mei leads accept - -o jsonl",
    )
    stage.bo("leads funnel -o table")


def give_to_stores(stage: Stage) -> None:
    stage.chapter(
        _("To the stores"),
        _("Territory, categories and capacity decide; the reason stays on the lead. What nobody can take waits."),
    )
    stage.bo("leads assign-by-rule --where state:valid --yes -o jsonl", who="dao", show=2)
    stage.bo("leads list state:assigned --fields number,name,city,category,store,assigned_reason --limit 4 -o table")
    stage.bo("leads count 'state:valid overflow:yes'")


def sell(stage: Stage) -> None:
    stage.chapter(
        _("At the store"),
        _("The store sees its own leads only. Taken, called, visited, sold; one lost, one refunded."),
    )
    stage.bo("leads take --where state:assigned --yes -o jsonl", who="west", show=1)
    mine = stage.quiet("leads list 'state:accepted sort:created,number' -o ids", who="west").lines()
    stage.bo(f"leads follow-up {mine[0]} --outcome reached --note 周六来看样板间", who="west", show=0)
    stage.bo(
        f"leads visit {' '.join(mine[:9])} --yes", who="west", show=0, shown_as="bo --as west leads visit LEAD … --yes"
    )
    stage.bo(f"leads lose {mine[1]} --reason price", who="west", show=0)
    for place, lead in enumerate(mine[2:9]):
        amount = 12_000 + 17_350 * place
        sums = f"--amount {amount} --net {amount / 1.13:.2f}"
        stage.bo(f"leads win {lead} --order-number SO-{1001 + place} {sums}", who="west", show=0)
    fields = "number,name,order_number,order_amount,order_net"
    stage.bo(f"leads list state:won --fields {fields} -o table", who="west")
    stage.say(_("One order is refunded in part. The reward follows, in proportion; nothing already paid is touched."))
    stage.bo(f"leads refund {mine[4]} --amount 10000 --reason 柜门退一扇 --yes", show=0)
    (line,) = stage.ids("rewards", "kind:clawback", 1)
    stage.bo(f"rewards explain {line} -o table", show=20)


def settle(stage: Stage) -> None:
    stage.chapter(
        _("Settlement, by two people"),
        _("Who is paid must have an account. An account that changed within a week holds the payment."),
    )
    for number in range(1, 21):
        account = f"--holder 户名{number} --number 95580000000000{number:05d}"
        stage.quiet(f"payee-accounts add --referrer D{number:03d} --kind bank {account}")
    stage.bo("rewards due -o table", show=8, who="fang")
    stage.bo(f"settlements run --period {datetime.now(UTC).astimezone():%Y-%m} -o ids", who="fang")
    settlement = str(stage.quiet("settlements list --fields number -o jsonl").first()["number"])
    fields = "reference,referrer,state,amount,currency,reason"
    stage.bo(f"payouts list settlement:{settlement} --fields {fields} --limit 6 -o table", who="fang")
    stage.bo(f"settlements submit {settlement}", who="fang", show=0)
    shown = stage.bo(f"settlements check {settlement} -o json", who="guo", show=16).json()["content_hash"]
    stage.say(_("Fang made it, so Fang cannot approve it:"))
    stage.bo(f"settlements approve {settlement} --hash {shown} --yes", who="fang", expect=76)
    stage.bo(f"settlements approve {settlement} --hash {shown} --yes", who="guo", show=0)
    money.tell(stage, settlement)


def look_back(stage: Stage) -> None:
    stage.chapter(
        _("Who did what"), _("Every call is one operation in a chain of hashes; anything not final can be undone.")
    )
    stage.bo("op log --limit 4 -o table")
    (lead,) = stage.ids("leads", "state:invalid", 1)
    stage.bo(f"leads history {lead} -o table")
    last = stage.quiet(f"leads history {lead} -o jsonl").first()["operation"]
    stage.bo(f"undo {last} --yes", show=3)
    stage.bo(f"leads list id:{lead} --fields number,state,name -o table")
    stage.bo("backup create -o json", show=3)
    stage.bo("doctor", show=14)


def _mend(path: Path) -> int:
    """What a person would do in a spreadsheet: put right the cells that the reasons name."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    mended = 0
    for row in rows[1:]:
        for place, cell in enumerate(row):
            if cell.lstrip("'") in MENDED and not rows[0][place].startswith("bo_"):
                row[place], mended = MENDED[cell.lstrip("'")], mended + 1
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return mended


def _the_end(stage: Stage, stays: bool) -> None:
    import time

    seconds = time.perf_counter() - stage.started
    stage.chapter(
        _("The end"),
        _(
            "{count} commands, each a process of its own, in {seconds:.0f} seconds.",
            count=stage.commands,
            seconds=seconds,
        ),
        numbered=False,
    )
    if stays:
        stage.say(_("Go on by hand:") + f"\n  export BO_WORKSPACE={stage.office}")
    else:
        stage.say(
            _("This office is gone now. To keep one and go on by hand:")
            + "\n  bo demo --workspace my-office\n  export BO_WORKSPACE=my-office"
        )
    stage.say(
        "\n".join(
            (
                "  bo                                        "
                + _("the screen: j k move, d accepts, b rejects, ? shows every key"),
                "  bo leads list 'state:valid city:杭州'     " + _("the filter language"),
                "  bo leads list state:pending_review -o ids | bo leads accept - -o jsonl",
                "  bo help                                   " + _("everything else"),
            )
        )
    )
