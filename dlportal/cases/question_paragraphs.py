"""Paragraphs and questions of our own: invented places and people, so that nothing can be known
beforehand and every answer has to be read."""

from dataclasses import dataclass

from dlportal.case import Example
from dlportal.kinds.passages import written
from dlportal.kinds.text import WRITTEN
from dlportal.results import Label

LIGHTHOUSE = (
    "The lighthouse on Gull Rock was built in 1874 by the engineer Martha Linden, after three"
    " fishing boats had sunk in a single winter. It is 38 metres high and painted in red and white"
    " stripes. For almost a century its lamp burned whale oil and later paraffin; electricity"
    " reached the island only in 1961. The last keeper, Tomas Reed, left in 1989, when the light"
    " became automatic. Today the tower belongs to the town of Halden, which rents out the"
    " keeper's cottage to visitors between May and September."
)
OTTERS = (
    "Sea otters hold hands while they sleep so that they do not drift apart. Their fur is the"
    " densest of any animal, with up to 150,000 hairs on a square centimetre, because they have no"
    " layer of fat to keep them warm. An adult eats about a quarter of its weight every day,"
    " mostly sea urchins, clams and crabs. Otters crack the shells with a stone, which they carry"
    " in a pouch of skin under the arm. By eating urchins they protect forests of kelp, the tall"
    " seaweed in which many young fish hide."
)
TEA = (
    "云溪镇位于青屏山南麓，以出产“雾芽”茶闻名。相传明代一位名叫沈砚秋的县令最早在这里种茶，他把第一批茶种"
    "分给了十二户人家。如今全镇有茶园三千二百亩，每年清明前后是采茶最忙的时候。雾芽茶要在炭火上烘焙六个小时，"
    "由于山上常年有雾，茶叶长得慢，味道比平地的茶更甜。2016年，镇上建起了一座茶叶博物馆，馆长是退休教师何婉清。"
)
BRIDGE = (
    "石鲸桥是连接东浦岛与大陆的一座斜拉桥，全长四千一百米，于2009年通车。大桥由工程师梁伯远设计，前后用了五年时间"
    "建成，总造价二十七亿元。通车以前，岛上的居民只能坐渡船，单程要一个半小时；现在开车只需六分钟。为了不惊扰在附近"
    "海域活动的白海豚，施工队每年四月至八月停止打桩。桥上装有三百多个传感器，用来监测风速和桥面的振动。"
)


@dataclass(frozen=True)
class Set:
    """A paragraph with its questions: id, question, name of the example in both languages."""

    id: str
    en: str
    zh: str
    language: str
    paragraph: str
    questions: tuple[tuple[str, str], ...]


SETS = (
    Set(
        "lighthouse",
        "A lighthouse",
        "灯塔（英文）",
        "en",
        LIGHTHOUSE,
        (
            ("who", "Who built the lighthouse on Gull Rock?"),
            ("when", "When did electricity reach the island?"),
            ("how_many", "How many fishing boats had sunk before it was built?"),
            ("why", "What does the town of Halden rent out to visitors?"),
            ("missing", "Which bird is the rock's museum named after?"),
        ),
    ),
    Set(
        "otters",
        "Sea otters",
        "海獭（英文）",
        "en",
        OTTERS,
        (
            ("how", "With what do otters crack the shells?"),
            ("how_many", "How many hairs are there on a square centimetre?"),
            ("what", "What do sea otters eat?"),
            ("missing", "Which country exports the most otter stamps?"),
        ),
    ),
    Set(
        "tea",
        "A tea town (Chinese)",
        "茶乡",
        "zh",
        TEA,
        (
            ("who", "最早在这里种茶的县令叫什么名字？"),
            ("how_many", "全镇有茶园多少亩？"),
            ("why", "雾芽茶为什么比平地的茶更甜？"),
            ("head", "茶叶博物馆的馆长是谁？"),
            ("missing", "镇上的火车站每天发出几趟列车？"),
        ),
    ),
    Set(
        "bridge",
        "A bridge (Chinese)",
        "跨海大桥",
        "zh",
        BRIDGE,
        (
            ("when", "石鲸桥是哪一年通车的？"),
            ("who", "大桥是由谁设计的？"),
            ("how_long", "现在开车过桥需要多少时间？"),
            ("what", "桥上的传感器用来监测什么？"),
            ("missing", "东浦岛上的小学有多少名学生？"),
        ),
    ),
)
MISSING = "missing"  # ends the ids of questions that the paragraph does not answer


def example_id(paragraph: str, question: str) -> str:
    return f"{paragraph}_{question}"


def examples() -> list[Example[str]]:
    """All questions with their paragraphs."""
    return [
        Example(
            example_id(one.id, key),
            Label(key, f"{one.en}: {question}", f"{one.zh}：{question}"),
            lambda one=one, question=question: written(question, one.paragraph),  # type: ignore[misc]
            WRITTEN,
        )
        for one in SETS
        for key, question in one.questions
    ]


def find(example: str) -> tuple[Set, str]:
    """A paragraph and a question by an example's id; the first ones if there is none."""
    for one in SETS:
        for key, question in one.questions:
            if example_id(one.id, key) == example:
                return one, question
    return SETS[0], SETS[0].questions[0][1]
