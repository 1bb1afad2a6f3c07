"""Text from people and files -> values: clean text, flags, phones, e-mail addresses, and keys to compare names by.

Amounts stand in `amounts`, days and moments in `moments`; both are offered here too, so that the kinds have one door.

Every function is pure and settles: reading what it returned gives the same value again, which is what makes importing
an export no change. What cannot be read without a guess is refused with a `BadValue` that says how to write it.
Patterns are kept as text and compiled by `re` at their first use, because most runs of `bo` read no phone at all.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from unicodedata import is_normalized, normalize

from bo.core.kernel.amounts import format_amount, parse_amount
from bo.core.kernel.errors import BadValue
from bo.core.kernel.moments import parse_day, parse_moment

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

__all__ = [
    "clean_text",
    "email_key",
    "format_amount",
    "household_key",
    "name_key",
    "parse_amount",
    "parse_day",
    "parse_email",
    "parse_flag",
    "parse_moment",
    "parse_phone",
    "split_phones",
    "surname_key",
]

YES: Final = frozenset(("1", "y", "yes", "true", "t", "on", "✓", "√", "是", "有", "对", "真", "已"))
NO: Final = frozenset(("0", "n", "no", "false", "f", "off", "✗", "×", "否", "无", "不", "没有", "假", "未"))

# Controls (C0 without tab and newline, DEL, C1), marks that steer the direction of text, zero-width spaces and joiners
# of words, the byte order mark, interlinear anchors. U+200C and U+200D stay: Persian and emoji need them.
_REMOVED: Final = (
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
    "\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_LINE_ENDS: Final = "\r\n?|[\x85\u2028\u2029]"
_SURROGATES: Final = "[\ud800-\udfff]"

_PHONE_SEPARATORS: Final = str.maketrans(
    "", "", " \t\n\r\u00a0()-.·_~‐‑‒–—―−ー\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202d\ufeff"
)
_PHONE_LABEL: Final = (
    "^(?:tel|telephone|phone|mobile|mob|cell|whatsapp|wechat|contact|电话|手机|手机号|手机号码|联系电话|联系方式|固话|座机|微信)"
    r"(?:no|number|号|号码)?[:：]?(?=[+0-9])"
)
_PHONE_SHAPE: Final = r"(\+?[0-9]{3,20})(?:[,;]?(?:x|extension|ext|#|转|分机|转分机)[:=]?([0-9]{1,7}))?"
_PHONE_SPLIT: Final = r"(?:[/;、,|\n\r]|\band\b|\bor\b|和|或|&)(?!\s*(?:x|ext|#|转|分机))"
_MOBILE_SECOND_DIGIT: Final = frozenset("3456789")
_NANP_FIRST_DIGIT: Final = frozenset("23456789")
_NANP_REGIONS: Final = frozenset(("US", "CA"))

_EMAIL_WORD: Final = r"[\w!#$%&'*+/=?^`{|}~-]+"
_EMAIL: Final = (
    rf"({_EMAIL_WORD}(?:\.{_EMAIL_WORD})*)"
    r"@((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_](?:[\w-]{0,61}[^\W_]))"
)

_TITLES: Final = r"^(?:mr|mrs|ms|miss|dr|prof|sir|mme|herr|frau)\b\.?\s+|(?:先生|女士|小姐|太太|老师|经理|老板)$"
_COMPOUND_SURNAMES: Final = (
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 "
    "宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 司空 令狐"
)
_HOUSE_UNITS: Final = "号楼|楼栋|单元|栋|幢|座|楼|号|室|户|层|\\b(?:building|bldg|unit|room|apartment|apt|no)\\b|#"


def clean_text(text: str) -> str:
    """The text in Unicode form NFC, without surrounding space, invisible steering marks and controls.

    Tabs and newlines stay, and line ends of all sorts become newlines. Half surrogate pairs, which no file can hold,
    become U+FFFD. Raises nothing.
    """
    if text.isascii():
        if text.isprintable():
            return text.strip(" ") if text[:1] == " " or text[-1:] == " " else text
    elif text.isprintable() and text[0] != " " and text[-1] != " " and is_normalized("NFC", text):
        return text
    text = re.sub(_LINE_ENDS, "\n", text)
    text = re.sub(_SURROGATES, "\N{REPLACEMENT CHARACTER}", text)
    text = re.sub(_REMOVED, "", text)
    return normalize("NFC", text).strip()


def parse_flag(text: str) -> bool:
    """Yes or no, in English, Chinese, or as spreadsheets write it. Raises BadValue."""
    word = normalize("NFKC", text).strip().casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    raise BadValue("{value} is neither yes nor no", hint="Write yes or no.", value=text)


def parse_phone(text: str, region: str = "CN") -> str:
    """A phone number as E.164, then `x` and the extension where it has one: `+8613800138000`, `+861065551234x208`.

    A number of a possible length is taken even when its country has not given that range out (`+15555551234`), so that
    no lead is lost to a table of carriers. Refused is what nobody could call: a wrong length, a local number without
    its area code, other words in the cell. The extension stays, because two people behind one switchboard are two
    people. `region` reads numbers without a country code.

    Raises:
        BadValue: it is not one phone number.
    """
    if text.isascii():
        size = len(text)
        if size == 11:
            if text[0] == "1" and region == "CN" and text[1] in _MOBILE_SECOND_DIGIT and text.isdigit():
                return "+86" + text
        elif size == 14:
            if text[:4] == "+861" and text[4] in _MOBILE_SECOND_DIGIT and text[3:].isdigit():
                return text
        elif size == 12 and text[:2] == "+1" and text[2] in _NANP_FIRST_DIGIT and text[2:].isdigit():
            return text
    return _parse_written_phone(text, region)


def split_phones(text: str, region: str = "CN") -> list[str]:
    """The phone numbers of one cell, in their order, each once. Raises BadValue when any part is no number."""
    phones: dict[str, None] = {}
    for part in re.split(_PHONE_SPLIT, normalize("NFKC", text), flags=re.IGNORECASE):
        for piece in _apart(part):
            phones[parse_phone(piece, region)] = None
    if not phones:
        raise BadValue("there is no phone number in {value}", hint="Leave the field empty instead.", value=text)
    return list(phones)


def parse_email(text: str) -> str:
    """An e-mail address, its domain in lower case and the part before the @ as typed. Raises BadValue."""
    local, at, domain = (text if text.isascii() else normalize("NFKC", text)).rpartition("@")
    address = local + at + domain.lower()
    match = re.fullmatch(_EMAIL, address) or re.fullmatch(_EMAIL, _unwrapped(address))
    if match is None or len(match[1]) > 64 or len(match[2]) > 253:
        raise BadValue(
            "{value} is not an e-mail address", hint="Write one address, such as li@example.com.", value=text
        )
    return match[0]


def email_key(email: str) -> str:
    """What two spellings of one mailbox share: all in lower case, the `+tag` dropped."""
    local, _, domain = email.strip().lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def name_key(text: str) -> str:
    """A name as it is compared for likeness: no title, case, accents or punctuation; Chinese names without spaces."""
    name = re.sub(_TITLES, "", normalize("NFKC", text).strip().casefold())
    name = normalize("NFC", re.sub("[\u0300-\u036f]", "", normalize("NFD", name)))
    words = re.sub(r"[\W_]+", " ", name).split()
    return "".join(words) if any(_is_han(word[0]) for word in words) else " ".join(words)


def surname_key(text: str) -> str:
    """The family name in comparable form: the first character or two of a Chinese name, else the last word."""
    name = name_key(text)
    if name and _is_han(name[0]):
        return name[:2] if name[:2] in _COMPOUND_SURNAMES.split() and len(name) > 2 else name[0]
    return name.rpartition(" ")[2]


def household_key(district: str, community: str, room: str) -> str:
    """One home in comparable form, `浦东新区|阳光花园|3-2-501`; empty when community or room is missing."""
    place, home = _plain_place(community), _plain_room(room)
    return f"{_plain_place(district)}|{place}|{home}" if place and home else ""


@lru_cache(maxsize=8192)
def _parse_written_phone(text: str, region: str) -> str:
    plain = normalize("NFKC", text).translate(_PHONE_SEPARATORS).strip()
    if re.fullmatch(r"[0-9.,]+e\+?[0-9]+", text.strip(), re.IGNORECASE):
        raise BadValue(
            "{value} is a phone number that a spreadsheet has rounded",
            hint="Format the column as text in the spreadsheet and export it again.",
            value=text,
        )
    if re.fullmatch(r"\s*[0-9]{5,}\.0\s*", text):  # a number cell that was written as a decimal
        plain = plain[:-1]
    plain = re.sub(_PHONE_LABEL, "", plain, flags=re.IGNORECASE).lstrip(":'`")
    match = re.fullmatch(_PHONE_SHAPE, plain, re.IGNORECASE)
    if match is None:
        raise BadValue(
            "{value} is not a phone number",
            hint="Keep only the number in the field; other words belong in the notes.",
            value=text,
        )
    number = _e164(match[1], region, text)
    return f"{number}x{match[2]}" if match[2] else number


def _e164(digits: str, region: str, text: str) -> str:
    mobile = _chinese_mobile(digits, region)
    if mobile:
        return "+86" + mobile
    if _is_north_american(digits, region):
        return "+1" + digits[-10:]
    import phonenumbers

    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        raise BadValue(
            "{value} is not a phone number", hint="Write it with its country code, like +8613800138000.", value=text
        ) from None
    verdict = phonenumbers.is_possible_number_with_reason(parsed)
    if verdict == phonenumbers.ValidationResult.IS_POSSIBLE and not _lacks_chinese_area_code(parsed):
        number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.parse(number, region) == parsed:
            return number
        # Such as 000000 in Germany: what is left begins with a dialling prefix again and would be read differently.
        raise BadValue("{value} is not a phone number", hint="Check its first digits.", value=text)
    if verdict in (phonenumbers.ValidationResult.IS_POSSIBLE, phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        raise BadValue(
            "{value} has no area code", hint="Write the number with its area code, like 010 6555 1234.", value=text
        )
    too_long = verdict == phonenumbers.ValidationResult.TOO_LONG
    raise BadValue(
        "{value} is too long for a phone number" if too_long else "{value} is too short for a phone number",
        hint="Check the digits; a number of another country begins with + and that country's code.",
        value=text,
    )


def _is_north_american(digits: str, region: str) -> bool:
    """Whether the digits are a number of the North American plan, which has one length and one trunk prefix."""
    if digits[:2] == "+1":
        return len(digits) == 12 and digits[2] in _NANP_FIRST_DIGIT
    if region not in _NANP_REGIONS:
        return False
    # 001 is how files write +1 that were made where 00 dials abroad, though nobody dials so in North America.
    return digits[-10:-9] in _NANP_FIRST_DIGIT and digits[:-10] in ("", "1", "001")


def _lacks_chinese_area_code(parsed: PhoneNumber) -> bool:
    """Seven or eight digits of a Chinese landline: a possible length to `phonenumbers`, yet nobody can call it."""
    return parsed.country_code == 86 and (parsed.national_number or 0) < 10**8


def _chinese_mobile(digits: str, region: str) -> str:
    """The eleven digits of a Chinese mobile number, or nothing."""
    if digits.startswith("+86"):
        mobile = digits[3:]
    elif digits.startswith("0086"):
        mobile = digits[4:]
    elif region != "CN":
        return ""
    elif len(digits) == 13 and digits.startswith("86"):
        mobile = digits[2:]
    else:
        mobile = digits
    if len(mobile) == 12 and mobile[0] == "0":  # the trunk 0 of old long-distance dialling
        mobile = mobile[1:]
    return mobile if len(mobile) == 11 and mobile[0] == "1" and mobile[1] in _MOBILE_SECOND_DIGIT else ""


def _apart(part: str) -> list[str]:
    """One number, or several that only spaces divide: more digits than any number has."""
    part = part.strip()
    if not part:
        return []
    words = part.split()
    several = sum(character.isdigit() for character in part) > 19 and all(len(word) >= 10 for word in words)
    return words if several else [part]


def _unwrapped(address: str) -> str:
    address = address.strip().strip("\ufeff\u200b")
    if address[:7].lower() == "mailto:":
        address = address[7:]
    return address[1:-1] if address[:1] == "<" and address[-1:] == ">" else address


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"


def _plain_place(text: str) -> str:
    return re.sub(r"[\W_]+|(?:小区|社区)$", "", normalize("NFKC", text).casefold())


def _plain_room(text: str) -> str:
    divided = re.sub(_HOUSE_UNITS, "-", normalize("NFKC", text).casefold())
    return re.sub(r"[\W_]+", "-", divided).strip("-")
