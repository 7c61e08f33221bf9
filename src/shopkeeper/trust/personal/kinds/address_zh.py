"""Chinese postal addresses: a chain of places from the large to the small that ends in a number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shopkeeper.trust.personal.finding import CHECKED, SAID, SHAPED, Candidate
from shopkeeper.trust.personal.recogniser import Recogniser
from shopkeeper.trust.personal.surroundings import before

_PROVINCE = (
    r"北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南"
    r"|广东|海南|四川|贵州|云南|陕西|甘肃|青海"
    r"|内蒙古|广西|西藏|宁夏|新疆|香港|澳门|台湾|台北|高雄|九龙|新界"
)
_COUNT = (
    r"(?:[0-9]{1,5}(?:[-之/][0-9A-Za-z]{1,4}){0,3}[A-Za-z]?|[A-Za-z]{1,2}[0-9]{0,4}"
    r"|[一二三四五六七八九十百零]{1,5}|[甲乙丙丁东西南北])"
)
_EVENT = re.compile(
    rf"(?P<number>{_COUNT} ?(?:号楼|号院|支弄|号(?![店色码线机电链字难召令]|就|下单|才|发货|到货)|弄"
    rf"|栋|幢|座(?![椅位])|单元(?!格)|楼(?![梯下上主市盘道])|层(?!次)|室(?!内|外|友)|房(?![间子屋价])"
    r"|户(?!型|外)|组(?!合|装|件)|队|门(?!口|锁|票)|期(?!间|待)|巷|#))"
    r"|(?P<region>省|自治区|特别行政区|自治州|地区|新区|开发区|高新区|街道|市(?![场面长民]|值|中心)"
    r"|区(?![别域分])|县|旗(?!舰|下)|镇|乡(?!下)|盟"
    r"|州(?=[^\u3400-\u9fff]{0,1}[\u3400-\u9fff]{1,4}[市区县]))"
    r"|(?P<village>社区|新村|村|屯|大队|林场|农场)"
    r"|(?P<road>大道|大街|马路|胡同|环路|公路|路(?![由过程人况费径]|上|边[^0-9]|口)|街(?![道机拍头])"
    r"|巷|弄堂?|(?<![知味频报通难渠管轨跑赛])道(?=[0-9一二三四五六七八九十东南西北中])|里(?=[0-9])"
    r"|段(?=[0-9]))"
    r"|(?P<estate>小区|小镇|花园|家园|公寓|大厦|广场|写字楼|大楼|公安局|派出所|加油站|服务站"
    r"|卫生[院所]|政府|邮局|营业厅|代收点|自提点|幼儿园|中队|工地|会馆|山庄|新城|国际城|国际|校区"
    r"|大学|学院|中学|小学|医院|宿舍|工业[区园]|科技园|产业园|园区|商城|商场|超市|便利店|酒店|宾馆"
    r"|公司|驿站|菜鸟站|中心"
    r"|[苑园城府湾庭居邸墅郡庄轩阁](?=[0-9A-Za-z一二三四五六七八九十东南西北]))"
    r"|(?P<soft>[ ,，、(（)）·-]+)"
    r"|(?P<stop>(?<=[0-9])[年月日]|[^\u3400-\u9fff0-9A-Za-z ,，、()（）·#-]"
    r"|[的了我是到住寄送给请你您他她从往离这那吗呢吧啊就没说很不有该]|(?<!自)[由在]"
    r"|贵(?![阳州港溪池])|这|那|同时|如果|去|附近|旁边|对面|地址|住址)"
)
_LEAD = re.compile(
    r".*(?:地址|住址|收货|收件|发货|派送|派件|快递|包裹|改成|改为|改到|换成|更正|麻烦|放|至|位于|家庭"
    r"|为|写成|收|搬|去|退|发|取|仓库|家|代收点|上门)"
)
_ROOM = re.compile(
    r"[ 之-]{0,2}(?:[A-Za-z]?[0-9]{1,5}[A-Za-z]?(?:-[0-9A-Za-z]{1,4}){0,3})(?![0-9A-Za-z.]"
    r"| ?[元块件个克米分岁折年月天点%:-])(?:室|房|号)?"
)
_SAID = re.compile(r"地址|住|寄|送|收货|收件|派|家在|搬|取件|退货|代收|公司|仓库")
_FINE = re.compile(r"[弄栋幢座室房户组#]|单元|号楼|号院")
_REST = re.compile("[\u3400-\u9fff]{1,10}?(?=[ ,，。(（]|1[0-9]{10}|$)")
_BARE_ROOM = re.compile(
    r"[ -]?[A-Za-z]?[0-9]{3,4}[A-Za-z]?(?:-[0-9A-Za-z]{1,4}){0,3}(?:室|房)?(?![0-9A-Za-z.]"
    r"| ?[元块件个米年])"
)
_AT_HOME = re.compile(r"地址[^,，。]{0,4}$|住[在]?$|家[在是]?$|送[到至]$|寄[到至]$|我在$")
_LONGEST_NAME = 12
_LONGEST_GAP = 14
_LONGEST = 120


class _Token(NamedTuple):
    level: str
    start: int
    end: int
    named: bool


def _candidates(text: str) -> Iterator[Candidate]:
    chain: list[_Token] = []
    boundary = 0
    for event in _EVENT.finditer(text):
        level = event.lastgroup or "stop"
        if level == "stop" or (level == "soft" and _closes(event[0], chain)):
            yield from _judged(text, chain)
            chain, boundary = [], event.end()
        elif level != "soft":
            if level == "number" and chain and _after_comma(text, chain[-1].end, event.start()):
                yield from _judged(text, chain)
                chain, boundary = [], event.start()
            start, named = _name_start(text, chain, boundary, event)
            if chain and start is None:
                yield from _judged(text, chain)
                chain, boundary = [], chain[-1].end
                start, named = _name_start(text, chain, boundary, event)
            chain.append(
                _Token(level, event.start() if start is None else start, event.end(), named)
            )
            if chain[-1].end - chain[0].start > _LONGEST:
                yield from _judged(text, chain)
                chain = []
    yield from _judged(text, chain)


def _closes(written: str, chain: list[_Token]) -> bool:
    """Whether a comma ends the address: it does once a number was said, and before any place."""
    comma = any(letter in ",，、" for letter in written)
    return not chain or (comma and any(token.level == "number" for token in chain))


def _after_comma(text: str, end: int, start: int) -> bool:
    """Whether a comma, and no name, stands between a place and a number."""
    return text[end:start].strip() in (",", "，", "、") and not _FINE.search(text, start, start + 8)


def _name_start(
    text: str, chain: list[_Token], boundary: int, event: re.Match[str]
) -> tuple[int | None, bool]:
    """Where the part that ends with this suffix begins (None: too far), and whether it has a name."""
    if chain:
        gap = event.start() - chain[-1].end
        return (chain[-1].end if gap <= _LONGEST_GAP else None), True
    start = max(boundary, event.start() - _LONGEST_NAME)
    name = text[start : event.start()]
    blank = max(name.rfind(mark) for mark in " ,，、()（）·")
    province = re.search(_PROVINCE, name)
    lead = _LEAD.match(name)
    if province is not None:
        start += province.start()
    else:
        start += max(blank + 1, lead.end() if lead else 0)
    return start, event.start() > start


def _judged(text: str, chain: list[_Token]) -> Iterator[Candidate]:
    """The chain as an address, where it says enough to find one person's door."""
    last = max((at for at, token in enumerate(chain) if token.level == "number"), default=-1)
    if last < 0:
        yield from _without_number(text, chain)
        return
    first = next(
        (at for at, token in enumerate(chain) if token.named or token.level == "number"), 0
    )
    if not any(_precise(text, chain, at) for at in range(first, last + 1)):
        doors = [
            one for one in chain if one.level == "number" and _FINE.search(text, one.start, one.end)
        ]
        if len(doors) < 2 or not _AT_HOME.search(before(text, chain[0].start, 8)):
            return
    end = chain[last].end
    for token in chain[last + 1 :]:
        if token.end - end > _LONGEST_GAP:
            break
        end = token.end if token.level == "estate" else end
    room = _ROOM.match(text, end)
    end = room.end() if room else end
    start = chain[first].start
    regions = sum(token.level == "region" for token in chain[first:])
    said = _SAID.search(before(text, start, 12)) is not None
    yield Candidate(
        "address", start, end, CHECKED if regions and said else SAID if regions or said else SHAPED
    )


def _without_number(text: str, chain: list[_Token]) -> Iterator[Candidate]:
    """Province, city, county and then a town, a village or a house: enough where nobody has a number."""
    regions = [at for at, token in enumerate(chain) if token.level == "region"]
    if len(chain) < 2 or not chain[0].named:
        return
    last = chain[-1]
    room = _BARE_ROOM.match(text, last.end) if last.level in ("estate", "road") else None
    if room is not None:
        yield Candidate("address", chain[0].start, room.end(), SHAPED)
        return
    town = text[last.end - 1] in "镇乡道" and last.level == "region"
    village = last.level in ("estate", "village")
    said = _SAID.search(before(text, chain[0].start, 12)) is not None
    many = len(regions) >= 3 and (town or village or last.level == "road")
    if (
        many
        or (village and len(chain) > 3)
        or (said and len(regions) >= 2 and last.level == "road")
    ):
        rest = _REST.match(text, last.end)
        yield Candidate("address", chain[0].start, rest.end() if rest else last.end, SHAPED)


def _precise(text: str, chain: list[_Token], at: int) -> bool:
    """Whether a number leads to a door: after a road, house or village, or after another number."""
    number = text[chain[at].start : chain[at].end]
    if chain[at].level != "number" or at == 0 or number.endswith("期"):
        return False
    place, fine = chain[at - 1], _FINE.search(number) is not None
    near = chain[at].end - place.end <= (18 if fine else 8)
    match place.level:
        case "number":
            named = any(token.named and token.level != "number" for token in chain[:at])
            enough = named and at > 1
        case "estate":
            enough = place.named and (fine or len(chain) > at + 1 or at > 2)
        case "region":
            enough = fine and (at > 1 or chain[at].start - place.end > 1)
        case _:
            enough = place.named
    return near and enough


RECOGNISER = Recogniser(
    "address",
    "地址",
    "address",
    re.compile(
        r"[0-9A-Za-z一二三四五六七八九十零] ?[号弄栋幢座单楼层室房组巷#期]"
        r"|[市区县州].{1,10}[镇乡村路街道区市]"
    ),
    _candidates,
)
