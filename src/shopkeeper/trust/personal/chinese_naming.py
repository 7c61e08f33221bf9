"""Where a Chinese name ends, and whether it can be one at all."""

from __future__ import annotations

import re

from shopkeeper.trust.personal.chinese_names import (
    AMBIGUOUS,
    COMPOUND,
    FUNCTIONAL,
    GIVEN,
    NOT_NAMES,
    SURNAMES,
    USUAL_SURNAMES,
)

HAN = "\u3400-\u9fff"
SURNAME = f"(?:{'|'.join(sorted(COMPOUND))}|[{''.join(sorted(SURNAMES))}])"
USUAL_SURNAME = f"(?:{'|'.join(sorted(COMPOUND))}|[{''.join(sorted(USUAL_SURNAMES))}])"
TITLE = (
    r"(?:先生|女士|小姐|老师(?!傅)|师傅|经理|总监|医生|大夫|教授|同学|阿姨|叔叔|大哥|大姐|大爷|大妈"
    r"|奶奶|爷爷|伯伯|婶婶|姑娘|哥(?![孛伦特们哥])|姨|婶|嫂|叔|伯|姐(?!妹)|主任|店长|律师"
    r"|警官|太太|夫人|同志|护士|校长|局长|科长|处长|院长|会计|老板|队长|班长|书记|秘书|博士"
    r"|总(?![理能结裁代共是的体之量额价数算而会有觉])"
    rf"|工(?=[^{HAN}]|$|说|来|您|你好))"
)
_SURNAME = re.compile(SURNAME)
_HAN = re.compile(f"[{HAN}]")
_AFTER = re.compile(
    rf"[^{HAN}]|$|{TITLE}|手机|电话|联系|地址|住址|身份|卡号|账号|微信|邮箱|[您你妳]好|签收|代收|收"
    rf"|本人|[男女]|申请|个人|公司|处理|反馈|生日|客户|用户|会员"
    r"|同学|亲启|启|敬上|打|送|帮|[的是和与跟在想要有说来您你我他她也都不没已给请吗吧呢啊了改订买下退"
    r"叫把被从到对就还能会让用去看问这那取寄发拿付填写或及等即却因为以]"
)


def name_end(text: str, start: int) -> int:
    """Where the name that begins at ``start`` with a surname ends: two characters, three, or four."""
    surname = _SURNAME.match(text, start)
    if surname is None:
        return start
    one, two = surname.end() + 1, surname.end() + 2
    second = text[one:two]
    long = len(text) >= two and second in GIVEN
    if long and second not in FUNCTIONAL and _AFTER.match(text, two):
        return two
    if _AFTER.match(text, one):
        return one
    alone = _HAN.match(second) is not None and _HAN.match(text, two) is None
    return two if long or alone else one


def is_name(name: str) -> bool:
    """Whether it can be a name: no usual word and no famous brand."""
    return name not in NOT_NAMES and name[:2] not in NOT_NAMES


def is_plain_name(text: str, start: int, end: int) -> bool:
    """Whether it is a name where little around says so: clear surname, clear characters, clear end."""
    name = text[start:end]
    surname = 2 if name[:2] in COMPOUND and len(name) > 2 else 1
    given = name[surname:]
    return (
        is_name(name)
        and bool(given)
        and name[0] not in AMBIGUOUS
        and all(letter in GIVEN and letter not in FUNCTIONAL for letter in given)
        and _AFTER.match(text, end) is not None
    )
