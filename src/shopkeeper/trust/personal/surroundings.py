"""The words around a value: what its writer says it is."""

from __future__ import annotations

import re

_OTHER = re.compile(
    r"(?:订单|订购单|单号|[运货件票面]单|工单|编号|货号|型号|款号|批号|批次|批准文号|文号|条码|条形码"
    r"|二维码|流水|交易|序列号|串号|机身号"
    r"|(?:设备|机器|会员|房间|柜台|楼层|产品|商品|图书|批量|货架|游戏|商户|店铺|门店|工|学|桌|座位"
    r"|航班|车次)(?:号|ID)"
    r"|(?:优惠|兑换|激活|取件|验证|校验|防伪|核销|抵用|提货|邀请|推荐|口令|暗)[码券]|券号?|会员卡?"
    r"|积分|卡券|(?:购物|礼品|礼物|加油|电话|储值|点|E)卡"
    r"|发票|快递|物流|包裹|顺丰|圆通|中通|申通|韵达|极兔|邮政|(?<![A-Za-z])(?:SN|IMEI|SKU|ISBN|EAN"
    r"|UPC|MEID|VIN)码?"
    r"|\b(?:orders?|tracking|track|invoice|ref(?:erence)?|model|serial|part|items?|batch|lot|coupon"
    r"|voucher|gift ?card|loyalty|membership"
    r"|case|ticket|GTIN|ASIN|USPS|UPS|FedEx|DHL|parcel|shipment|version|S/N|P/N|confirmation"
    r"|transaction|receipt|code|article|product|isbn))"
    r"(?:(?:系统)?(?:号码?|编号|单号|编码|代码|码|序号)|no\.?|numbers?|num|nr|code|id|is|was|of|card"
    r"|是|为|叫|显示|查询|尾号|[ :：#()（）\"'“”\[\]【】/=*-]){0,6}$",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r" ?(?:元|块|件(?!人)|个(?!人|电话)|分(?!机|开)|米|次|人(?!工|民)|名|条|克|斤|毫|万|亿|年"
    r"|月(?!日)|天(?!气|津)|款|套"
    r"|%|(?:mm|cm|kg|ml|GB|MB|mAh|px|rpm|RMB|USD)(?![A-Za-z]))",
    re.IGNORECASE,
)
REACH = 26
"""How many characters before a value may say what it is."""


def before(text: str, start: int, reach: int = REACH) -> str:
    """What stands before a value, up to ``reach`` characters."""
    return text[max(0, start - reach) : start]


def around(text: str, start: int, end: int, reach: int = REACH) -> str:
    """What stands before and, half as far, after a value; the value itself is a blank."""
    return f"{before(text, start, reach)} {text[end : end + reach // 2]}"


def called_otherwise(text: str, start: int) -> bool:
    """Whether the last words before a value call it an order, a parcel, a model or a coupon."""
    return _OTHER.search(before(text, start)) is not None


def counted(text: str, end: int) -> bool:
    """Whether a unit follows: the value is an amount."""
    return _UNIT.match(text, end) is not None
