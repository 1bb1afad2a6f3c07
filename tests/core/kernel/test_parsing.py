"""Text from people and files: every spelling seen in real files, and what is refused instead of guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.kernel.errors import BadValue
from bo.core.kernel.parsing import (
    clean_text,
    email_key,
    household_key,
    name_key,
    parse_email,
    parse_flag,
    parse_phone,
    split_phones,
    surname_key,
)

MOBILE = "+8613800138000"


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "１３８００１３８０００",
        " 138 0013 8000 ",
        "138-0013-8000",
        "+8613800138000",
        "+86 138-0013-8000",
        "(+86)13800138000",
        "0086 138 0013 8000",
        "86-13800138000",
        "013800138000",
        "Tel: 138 0013 8000",
        "电话：13800138000",
        "13800138000.0",
        "'13800138000",
        "\u202d13800138000\u202c",
    ],
)
def test_a_chinese_mobile_number_is_read_in_every_spelling(text: str) -> None:
    assert parse_phone(text) == MOBILE


@pytest.mark.parametrize(
    ("text", "region", "phone"),
    [
        ("010-65551234", "CN", "+861065551234"),
        ("400-820-8820", "CN", "+864008208820"),
        ("+44 (0)20 7946 0958", "CN", "+442079460958"),
        ("00852 2345 6789", "CN", "+85223456789"),
        ("(345) 658-8094", "US", "+13456588094"),
        ("3456588094", "US", "+13456588094"),
        ("001-313-920-8953", "US", "+13139208953"),
        ("+390612345678", "US", "+390612345678"),
        ("0086 138 0013 8000", "US", MOBILE),
    ],
)
def test_other_numbers_are_read_by_country_or_region(text: str, region: str, phone: str) -> None:
    assert parse_phone(text, region) == phone


@pytest.mark.parametrize(("text", "phone"), [("555.555.5556", "+15555555556"), ("957.962.1534", "+19579621534")])
def test_a_number_that_no_carrier_has_is_kept(text: str, phone: str) -> None:
    assert parse_phone(text, "US") == phone


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+1-395-557-1028x208", "+13955571028x208"),
        ("010-65551234转208", "+861065551234x208"),
        ("010-65551234 分机 208", "+861065551234x208"),
        ("+86 10 6555 1234 ext. 208", "+861065551234x208"),
        ("+861065551234;ext=208", "+861065551234x208"),
    ],
)
def test_an_extension_stays_with_its_number(text: str, phone: str) -> None:
    assert parse_phone(text) == phone


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("65551234", "65551234 has no area code"),
        ("95588", "95588 has no area code"),
        ("1.38E+10", "1.38E+10 is a phone number that a spreadsheet has rounded"),
        ("13800138000（微信同号）", "13800138000（微信同号） is not a phone number"),
        ("张三13800138000", "张三13800138000 is not a phone number"),
        ("13800138000/13900139000", "13800138000/13900139000 is not a phone number"),
        ("1111111111111111111", "1111111111111111111 is too long for a phone number"),
        ("+999123456", "+999123456 is not a phone number"),
        ("", " is not a phone number"),
    ],
)
def test_what_nobody_could_call_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadValue) as refusal:
        parse_phone(text)
    assert str(refusal.value) == message
    assert refusal.value.hint


@given(
    st.from_regex(r"(\+|00)?[0-9][0-9 ().-]{4,16}(x[0-9]{1,4})?", fullmatch=True), st.sampled_from(["CN", "US", "DE"])
)
def test_a_read_phone_is_read_again_as_itself(text: str, region: str) -> None:
    try:
        phone = parse_phone(text, region)
    except BadValue:
        return
    assert parse_phone(phone, region) == phone
    assert parse_phone(phone, "FR") == phone


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("13800138000/13900139000", [MOBILE, "+8613900139000"]),
        ("13800138000、13900139000；13800138000", [MOBILE, "+8613900139000"]),
        ("13800138000 13900139000", [MOBILE, "+8613900139000"]),
        ("138 0013 8000\n13900139000", [MOBILE, "+8613900139000"]),
        ("+1-395-557-1028, ext 208; 138 0013 8000", ["+13955571028x208", MOBILE]),
        ("138-0013-8000", [MOBILE]),
    ],
)
def test_a_cell_with_several_numbers_is_split(text: str, phones: list[str]) -> None:
    assert split_phones(text) == phones


@pytest.mark.parametrize("text", ["", " / ", "13800138000 / call me"])
def test_a_cell_with_other_words_is_not_split(text: str) -> None:
    with pytest.raises(BadValue):
        split_phones(text)


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("li@yy.com", "li@yy.com"),
        (" Li.Ming@YY.COM ", "Li.Ming@yy.com"),
        ("mailto:a@b.co", "a@b.co"),
        ("<a@b.cn>", "a@b.cn"),
        ("ｚｈａｎｇ＠ｑｑ．ｃｏｍ", "zhang@qq.com"),
        ("张@例子.中国", "张@例子.中国"),
        ("a+b@xn--fsq.xn--p1ai", "a+b@xn--fsq.xn--p1ai"),
    ],
)
def test_an_email_address_is_read(text: str, email: str) -> None:
    assert parse_email(text) == email
    assert parse_email(email) == email


@pytest.mark.parametrize(
    "text", ["", "a@b", "a..b@c.com", "a b@c.com", "@c.com", "a@.com", "a@b.c", "a@b.com, c@d.com"]
)
def test_what_is_no_email_address_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="not an e-mail address"):
        parse_email(text)


@given(st.emails())
def test_a_read_email_is_read_again_as_itself(text: str) -> None:
    try:
        email = parse_email(text)
    except BadValue:
        return
    assert parse_email(email) == email
    assert email_key(email_key(email)) == email_key(email)


def test_two_spellings_of_one_mailbox_share_a_key() -> None:
    assert email_key("Li.Ming+shop@YY.com") == email_key("li.ming@yy.com") == "li.ming@yy.com"
    assert email_key("+a@yy.com") == "+a@yy.com"


@pytest.mark.parametrize("word", ["yes", "Y", "TRUE", "1", "是", "有", "√", " Ｙ "])
def test_yes_is_read(word: str) -> None:
    assert parse_flag(word) is True


@pytest.mark.parametrize("word", ["no", "N", "False", "0", "否", "无", "×"])
def test_no_is_read(word: str) -> None:
    assert parse_flag(word) is False


@pytest.mark.parametrize("word", ["", "maybe", "2", "null"])
def test_a_word_that_is_neither_yes_nor_no_is_refused(word: str) -> None:
    with pytest.raises(BadValue, match="neither yes nor no"):
        parse_flag(word)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("William Lee", "William Lee"),
        ("  张三\u3000", "张三"),
        ("a\u202eb\u200bc\ufeff", "abc"),
        ("one\r\ntwo\rthree\u2028four\tfive", "one\ntwo\nthree\nfour\tfive"),
        ("e\u0301", "é"),
        ("\x00\x1b[31mred\x9b", "[31mred"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("", ""),
        (" ", ""),
    ],
)
def test_text_loses_what_steers_the_screen_and_keeps_the_rest(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


def test_clean_text_is_handed_back_as_it_is() -> None:
    text = "小区需要新建电动车停车棚，约200㎡"
    assert clean_text(text) is text


@given(st.text())
def test_cleaning_settles_and_can_be_stored(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert cleaned.encode().decode() == cleaned


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Mr. José  García", "jose garcia"),
        ("O'Brien, Pat", "o brien pat"),
        ("张 三 先生", "张三"),
        ("ＡＢＣ有限公司", "abc有限公司"),
        ("", ""),
    ],
)
def test_names_are_compared_without_title_case_and_accents(name: str, key: str) -> None:
    assert name_key(name) == key


@given(st.text())
def test_a_name_key_has_no_outer_space(text: str) -> None:
    assert name_key(text) == name_key(text).strip()


@pytest.mark.parametrize(
    ("name", "surname"), [("张三丰", "张"), ("欧阳娜娜", "欧阳"), ("欧阳", "欧"), ("Ms Ann Lee", "lee"), ("", "")]
)
def test_the_surname_of_a_name(name: str, surname: str) -> None:
    assert surname_key(name) == surname


def test_one_home_has_one_key_in_every_spelling() -> None:
    # Given one flat as three people write it
    spellings = [("阳光花园小区", "3号楼2单元501室"), ("阳光花园", "3-2-501"), ("阳光 花园", "３栋２单元５０１")]
    # Then all three share the key
    assert {household_key("浦东新区", community, room) for community, room in spellings} == {
        "浦东新区|阳光花园|3-2-501"
    }


@pytest.mark.parametrize(("community", "room"), [("", "501"), ("阳光花园", ""), ("小区", "501")])
def test_half_a_home_says_nothing(community: str, room: str) -> None:
    assert household_key("浦东新区", community, room) == ""


@given(st.from_regex(r"(\+?1)?[2-9][0-9]{9}", fullmatch=True), st.sampled_from(["US", "CA"]))
def test_the_short_way_reads_north_american_numbers_as_the_library_does(digits: str, region: str) -> None:
    import phonenumbers

    parsed = phonenumbers.parse(digits, region)
    assert parse_phone(digits, region) == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@given(st.from_regex(r"(\+86|0086|86|0)?1[3-9][0-9]{9}", fullmatch=True))
def test_the_short_way_reads_chinese_mobiles_as_the_library_does(digits: str) -> None:
    import phonenumbers

    parsed = phonenumbers.parse(digits, "CN")
    assert parse_phone(digits, "CN") == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
