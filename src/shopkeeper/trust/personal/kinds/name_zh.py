"""Chinese names of persons, by surname and the words around: labels, titles, introductions, couriers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shopkeeper.trust.personal.chinese_names import (
    AMBIGUOUS,
    COMPOUND,
    GIVEN,
    NOT_BEFORE,
    NOT_NAMES,
    SURNAMES,
    USUAL_SURNAMES,
)
from shopkeeper.trust.personal.chinese_naming import (
    HAN,
    SURNAME,
    TITLE,
    USUAL_SURNAME,
    is_name,
    is_plain_name,
    name_end,
)
from shopkeeper.trust.personal.english_names import GIVEN_NAMES
from shopkeeper.trust.personal.finding import CHECKED, LIKELY, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser

_BEGINS = rf"(?P<name>{SURNAME}(?=[{HAN}]))"
_LABEL = (
    r"(?:收[件货]人|寄件人|发件人|联[系络]人|取件人|提货人|签收人|经办人|预约人|投诉人|订购人|购买人"
    r"|付款人|收款人|申请人|负责人|持卡人|开户人|开户名|户名|姓名|(?<![区店牌品书司校盘产])名字"
    r"|真名|机主|车主|客户名|顾客|乘客|乘机人|入住人|住客|患者|家长|学生|抬头|署名|落款|配送员|快递员"
    r"|派[件送]员|客服|工号|[收寄](?=:))"
)
_MARK = r"(?:姓名|名字|名称|写|改成|改为|换成|填|叫|是|为|应为|应该是|[ :\]】）)“”「\"]){0,5}"
_LABELLED = re.compile(rf"{_LABEL}(?P<mark>{_MARK}){_BEGINS}")
_FOREIGN = (
    rf"(?P<name>[{HAN}]{{2,8}}·[{HAN}]{{2,10}}(?:·[{HAN}]{{1,8}})?"
    r"|[A-Z][a-z]{1,15}(?: [A-Z][a-z]{0,15}){1,2}|[A-Z]{2,10}[/ ][A-Z]{2,15})"
)
_LABELLED_FOREIGN = re.compile(rf"(?:{_LABEL}{_MARK}|我叫|我是|我的名字[叫是]){_FOREIGN}")
_INTRODUCED = re.compile(
    r"(?:我叫|我的名字[叫是]|我名字[叫是]|(?<![区店牌品书司校盘产])名字[叫是]|名叫|全名[叫是]"
    r"|本名[叫是]?|[公婆爸妈哥姐弟妹儿女子友事学人他她]叫做?|[^来喊]叫做|贵姓|免贵姓|敝姓)"
    rf"[ :]?{_BEGINS}"
)
_MAYBE = re.compile(
    r"(?:我是|我係|我系|这是|这里是|本人|我姓名|姓名|[我你他她](?:的)?(?:朋友|同事|同学|室友|老[公婆]"
    r"|[公婆爸妈哥姐弟妹]|爱人|对象|闺蜜|儿子|女儿)"
    r"|亲爱的|尊敬的|敬爱的|请找|联系(?!我|人|方)|转告|转交|转给|通知|交给|寄给|发给|送给|带给|给"
    r"|找(?!到)|由(?!于)|让(?!步)|请|跟|麻烦|谢谢|感谢|表扬|投诉|祝|致|@"
    rf"|[用客]户|顾客|买家|客服|快递员|派[件送]员|配送员|外卖员|骑手|销售|店员|导购|同事|专员|顾问"
    rf"|医生|主播|会员|师傅|署名|落款)[ :]?{_BEGINS}"
)
_BEFORE_VERB = re.compile(
    rf"(?:(?<![{HAN}])|(?<=[由是让请给被]))(?P<name>{SURNAME}(?=[{HAN}]{{1,2}} ?(?:签收|代收|代签|亲启"
    rf"|(?<![吸回接没未已验征])收(?=[ 。,，(（]|$))))"
)
_TITLED = re.compile(rf"(?=(?P<name>{SURNAME}[{HAN}]{{0,2}}?)(?P<title>{TITLE}))")
_TITLE = re.compile(TITLE)
_LEADS = frozenset("请让找给和跟与是问叫的谢到对向由被把系你您")
"""Before a surname with a title of one character: other characters would make it a part of a longer word."""
_RENAMED = re.compile(
    rf"(?:收[件货]人|联系人|姓名|名字)[^,，。;；\n]{{0,10}}?(?:从|改[成为]"
    rf"|换[成为])(?P<name>{SURNAME}(?=[{HAN}]))"
)
_NICKNAMED = re.compile(
    rf"(?:收[件货]人|联系人|取件人|姓名)[ :]{{1,3}}(?P<name>[小阿][{HAN}])(?=[^{HAN}]|$)"
)
_GREETED = re.compile(rf"(?:^|[\n，。！!,;；：: ])(?P<name>{SURNAME}(?=[{HAN}]{{1,2}}[你您妳]好))")
_PHONE = r"(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"
_LATIN = re.compile(
    r"(?:我叫|我的名字[叫是]|英文名[叫是:]?|叫我) ?(?P<name>[A-Z][a-z]{1,12})(?![A-Za-z])"
)
_WITH_SEX = re.compile(
    rf"(?<![{HAN}])(?P<name>{SURNAME}[{HAN}]{{1,2}})(?P<name2>)[,，、 ]{{1,2}}[男女](?=[,，、 性。]|$)"
)
_SPACED = re.compile(
    rf"(?<![{HAN}])(?P<name>{USUAL_SURNAME} [{HAN}])(?P<name2>)[ ,，:]{{1,2}}{_PHONE}"
)
_GAP = r"[ ,，、:：/|;；。\n(（)）+-]{0,3}"
_BY_PHONE = re.compile(
    rf"(?:(?<![{HAN}])|(?<=[室号楼层栋户座收]))(?P<name>{SURNAME}[{HAN}]{{1,2}}?)(?:收|先生|女士"
    rf"|小姐)?{_GAP}(?:手机号?|电话|联系电话|tel)?[:：]? ?{_PHONE}"
    rf"|{_PHONE}{_GAP}(?:收[件货]人|联系人|姓名|机主)?[:：]?(?P<name2>{SURNAME}[{HAN}]{{1,2}})(?![{HAN}])"
)
_PHONE_WORD = re.compile("[电话手机号码微信联系收件地址]")
_GLUED = re.compile(rf"(?<=[{HAN}])(?P<name>{USUAL_SURNAME}[{HAN}]{{1,2}})(?:收|:)? ?{_PHONE}")
_FAMILIAR = re.compile(
    r"(?:客服|快递员|快递|派[件送]员|配送员|外卖员|骑手|销售|店员|导购|同事|专员|顾问|主播|售后|店主"
    r"|老板|师傅|保安|门卫|邻居|房东|小哥|美女|帅哥|请?找|让|联系|谢谢|感谢|我是|叫我|喊我)"
    rf"(?P<name>[小老阿]{USUAL_SURNAME})(?=[^{HAN}]|$"
    rf"|[的说态很服特非真帮在送来给也都已处回推接安他她告签打派取吧就和跟您你])"
)
_SIGNED = re.compile(
    rf"(?:^|\n)[ -]{{0,6}}(?P<name>{SURNAME}[{HAN}]{{1,2}}) {{0,3}}"
    r"(?:敬上|亲笔|[\n ] {0,3}20[0-9]{2}[-年./])"
    rf"|--(?P<name2>{SURNAME}[{HAN}]{{1,2}})(?=[。 \n]|$)"
)


def _candidates(text: str) -> Iterator[Candidate]:
    yield from _said(text)
    yield from _beside_numbers(text)
    yield from _titled(text)


def _said(text: str) -> Iterator[Candidate]:
    """Names that a label, an introduction or a request announces."""
    for hit in _LABELLED.finditer(text):
        yield from _begun(text, hit.start("name"), CHECKED, plain=not hit["mark"])
    for hit in _INTRODUCED.finditer(text):
        yield from _begun(text, hit.start("name"), SAID, plain=False)
    for pattern in (_MAYBE, _RENAMED, _GREETED, _BEFORE_VERB):
        for hit in pattern.finditer(text):
            yield from _begun(text, hit.start("name"), SHAPED, plain=True)
    for hit in _LABELLED_FOREIGN.finditer(text):
        yield Candidate("name", *hit.span("name"), CHECKED)
    for hit in _LATIN.finditer(text):
        if hit["name"].lower() in GIVEN_NAMES:
            yield Candidate("name", *hit.span("name"), SAID)
    for pattern in (_FAMILIAR, _NICKNAMED):
        for hit in pattern.finditer(text):
            yield Candidate("name", *hit.span("name"), LIKELY)


def _beside_numbers(text: str) -> Iterator[Candidate]:
    """Names that stand where a sender or a recipient stands: beside a telephone number, a sex, a date."""
    for pattern in (_BY_PHONE, _SIGNED, _WITH_SEX, _SPACED):
        for hit in pattern.finditer(text):
            group = "name" if hit["name"] else "name2"
            if _beside_number(text, hit, group):
                yield Candidate("name", *hit.span(group), SAID)
    for hit in _GLUED.finditer(text):
        given = all(letter in GIVEN for letter in hit["name"][1:])
        if given and _beside_number(text, hit, "name"):
            yield Candidate("name", *hit.span("name"), SHAPED)


def _beside_number(text: str, hit: re.Match[str], group: str) -> bool:
    name, start = hit[group], hit.start(group)
    part = text[start - 1 : start] in NOT_BEFORE.get(name[0], "") if start else False
    return is_name(name) and name[0] not in AMBIGUOUS and not part and not _PHONE_WORD.search(name)


def _begun(text: str, start: int, confidence: float, *, plain: bool) -> Iterator[Candidate]:
    """The name that begins at ``start``; a plain one has to be a name by itself."""
    end = name_end(text, start)
    if _TITLE.match(text, start + 1):
        return
    name = text[start:end]
    given = all(letter in GIVEN for letter in name[1:]) or confidence == CHECKED
    if is_plain_name(text, start, end) if plain else is_name(name) and given:
        yield Candidate("name", start, end, confidence)


def _titled(text: str) -> Iterator[Candidate]:
    done = 0
    for hit in _TITLED.finditer(text):
        name, start, end = hit["name"], hit.start(), hit.end("name")
        before = text[start - 1 : start]
        if start < done or (before and before in NOT_BEFORE.get(name[0], "")):
            continue
        if len(hit["title"]) == 1 and re.match(f"[{HAN}]", before) and before not in _LEADS:
            continue
        if text[start : start + 2] in NOT_NAMES:
            continue
        if name in USUAL_SURNAMES or name in COMPOUND:
            end = hit.end("title")
        elif len(name) == 1 or name[-1] == "老" or not is_plain_name(text, start, end):
            continue
        done = hit.end("title")
        yield Candidate("name", start, end, SHAPED)


RECOGNISER = Recogniser(
    "name",
    "姓名",
    "name",
    re.compile(f"[{''.join(sorted(SURNAMES))}]|·|[收寄][件货]人|我[叫是]|姓名|名字|联系人"),
    _candidates,
)
