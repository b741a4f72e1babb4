"""The patterns behind `answers.py`: cues that announce an answer, and mathematical notation that states one.

Each pattern stays within a line and is bounded, so that its cost is linear in the text.
"""

from __future__ import annotations

import re

TOKEN = (
    r"(?:\\(?:text|textbf|mathrm|mathbf|mbox|operatorname)\s?\{[^{}\n]{0,40}\}|\\[a-zA-Z]+|\\[{}%,;:!$\\ ]"
    r"|\d+(?:[.,]\d+)*|\.\d+|[-+*/^_=<>≤≥≠≡≈×·⋅÷−–√π∞°%∪∩∈θαβγφωλτ′'½⅓⅔¼¾⅕⅙⅛⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ₀₁₂₃₄₅₆₇₈₉!|]|(?<=\d):(?=\d)"
    r"|[()\[\]{}]|,\s?(?=(?>[^()\[\]{}\n]{0,60})(?:[({][^()\[\]{}\n]{1,12}[)}](?>[^()\[\]{}\n]{0,30}))?[)\]}])"
    r"|(?<![A-Za-z])(?:sqrt|log|ln|sin|cos|tan|sec|csc|cot|pi|mod|exp|cis|arc(?:sin|cos|tan)|[A-Za-z])(?![A-Za-z']))"
)
VALUE = rf"{TOKEN}(?>(?:[ ~]{{0,2}}{TOKEN}){{0,60}})"
RUN = re.compile(VALUE)
MATH = re.compile(
    r"\$\$\s{0,9}(?P<m>[^$]{1,160}?)\s{0,9}\$\$|\$\$?(?=\S)(?P<d>[^$\n]{1,160}?)(?<=\S)\$|\\\((?P<p>.{1,160}?)\\\)"
    r"|\\\[\s{0,9}(?P<b>[^\n]{1,160}?)\s{0,9}\\\]"
)
LEAD = re.compile(
    r"(?:\s|\*\*|[\"'“‘`]|\\\[(?=\s)|(?:indeed|exactly|just|simply|therefore|thus|hence|then|equal to|equals?|approximately|"
    r"about|roughly|actually|still|also|both|precisely|probably|likely|option|given by|represented as|written as|"
    r"found to be|simply|only|as|the (?:number|value|fraction|point|interval|expression|integer|sum|ordered pair|pair|set))\b:?|:)*",
    re.IGNORECASE,
)
LIST = re.compile(
    rf"(?:,\s{{0,9}}(?:and\s{{1,9}}|or\s{{1,9}})?|\s{{1,9}}(?:and|or)\s{{1,9}})(?=[-−$\\(\[\d]|[a-z] ?=){VALUE}"
)
WORDS = re.compile(r"[A-Za-z][\w'-]*(?: [A-Za-z][\w'-]*){0,2}(?=\s*(?:[.;!*\"\n]|$))")
NO_ANSWER = re.compile(
    r"(?:not|never|n't|correct|right|wrong|that|this|the|an?|in|to|what|which|it|its|consistent|same|different|as|found|"
    r"obtained|indeed|of|valid|there|here|good|fine|clear|reasonable|unique|positive|negative|integer|integers|whether|"
    r"how|if|when|where|because|since|still|likely|probably|also|one|i|we|they|confirmed|verified|below|above|incorrect|"
    r"straightforward|simple|(?-i:[a-z]{3,}ly)|step|needed|required|expected|supposed|for|by|from|all|both|let|so|just|actually|given)\b",
    re.IGNORECASE,
)
BOXED = re.compile(r"\\f?box(?:ed)?\s*(?:(?P<brace>\{)|(?P<bare>[^\s{}$\\,;]+))")
PHRASE = re.compile(
    r"\b(?P<what>(?:final |correct |right )?(?:answer|result|solution))(?P<many>s?)\b(?:\*\*)?(?:[^.\n:=*]{0,60}?\b(?:is|are|be|was|becomes?|equals?)"
    r"(?![a-zA-Z']|\snot\b)|\s*(?:\*\*)?\s*[:=])"
    r"|\bfinal answer\b[*:#\s]{1,12}(?=[-−\d$\\(\[])|(?m:^)[ \t]*####[ \t]+|<answer>",
    re.IGNORECASE,
)
"""Announces a value. A "result" or "solution" may be that of a step, unless it is called final."""
REVERSED = re.compile(
    r"(?P<answer>\\[dt]?frac\{[^{}\n]{0,80}\}\{[^{}\n]{0,80}\}|[-−]?(?<!\d)\d[\d.,/]{0,120}(?:\s?[%°π])?|\([^()\n]{1,30}\))\$?\s{1,9}(?:is|was|as|should be|must be|would be)\s"
    r"(?:indeed\s)?(?:the|our|my)\s(?:final\s|correct\s|right\s)*(?:answer|solution|result)\b",
)
NAMED_OPTION = re.compile(
    r"(?<![\w'])\(?(?P<answer>[A-J])\)?(?: \([^()\n]{1,60}\))? (?:is|was|must be|should be|would be|seems to be)"
    r"(?: (?:indeed|definitely|clearly|likely|probably|actually|therefore|also))? the "
    r"(?:(?:only|most) )?(?:correct|right|best|final|accurate|suitable|appropriate|likely|valid) "
    r"(?:answer|option|choice|one|match|fit)\b"
)
"""The letter of an option that is called the answer."""
BOLD = re.compile(r"\*\*(?P<answer>[^*\n]{1,80})\*\*")
BOLD_WORD = re.compile(r"\W{0,20}(?P<answer>yes|no|true|false|none|\(?[A-J]\)?)\W{0,20}$", re.IGNORECASE)
HEADING = re.compile(
    r"\W{0,20}(?:step|case|part|approach|method|option|figure|example|question|problem|\d{1,9}[.):]\s)",
    re.IGNORECASE,
)
CUE_WORD = (
    r"\s{0,3}\*{0,4}(?=[A-Za-z])(?:[YyOoAaBbWwGgPpFf][a-z]{1,7}\b\W{1,3})?(?:[SsTtHhCcFfIiAagwytWI][a-z]|I )(?:(?<=[Ss]o)"
    r"|(?<=[Tt]h)(?:erefore|us|at gives)|(?<=[Hh]e)nce|(?<=[Cc]o)nsequently|(?<=[Tt]o)tal(?:l?ing)?|(?<=[Ff]i)nally"
    r"|(?<=wh)ich (?:is|gives|means|equals)|(?<=gi)v(?:ing|es)|(?<=ge)ts?|(?<=yi)elding|(?<=[Ii]n) total"
    r"|(?<=[Ww]e) (?:get|have|obtain|find|conclude)|(?<=I )(?:am (?:pretty |quite )?confident|get|find)|(?<=[Aa]l)together"
    r")(?![A-Za-z])"
)
"""A concluding word at the start of a clause. Its first two letters are tested before the whole word. This is
several times faster than plain alternatives, and this pattern takes most of the module's time."""
CUE = re.compile(r"[.!?;,\n]" + CUE_WORD)
FIRST_CUE = re.compile(CUE_WORD)
SENTENCE_END = re.compile(r"[.!?;](?=[\s*\"$])|\n")
VERB = re.compile(
    r"(?:\b(?:that|it|this|there)['’]s|\b(?:is|are|equals?|be|get|gives?|giving|obtain|find|have|has|yields?|yielding|becomes|was|totall?ing|only|exactly|=>))"
    r"(?![a-zA-Z'])(?!\s*not\b):?",
    re.IGNORECASE,
)
STATES = re.compile(
    r"(?: (?:is|be|are)|\b(?:[Tt]hat|[Ii]t|[Tt]his|[Tt]here)['’]s)\s?(?=(?:indeed |exactly |just |only |still )?[-−\d$\\(\[√π])"
)
WORD_VALUE = re.compile(
    r"\b(?:all|are|exactly|only|is|total of) (?P<answer>two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?=\s?[a-z.])"
)
"""A number in a word as a result: "there are six such dates", "all six dates fit"."""
NUMBER_WORDS = (
    " two",
    " three",
    " four",
    " five",
    " six",
    " seven",
    " eight",
    " nine",
    " ten",
    " eleven",
    " twelve",
)
"""One of these is in every match of `WORD_VALUE`."""
LIMITS = re.compile(
    rf"\ball real numbers (?:less|smaller|greater|larger|bigger) than (?:or equal to )?[\\($]{{0,2}}\s?{VALUE}",
    re.IGNORECASE,
)
NUMERAL = re.compile(rf"(?<![\w\\.])(?=[-−√(\d\\]){VALUE}")
RELATION = re.compile(r"[=≡≈]|\\(?:equiv|approx)(?![a-zA-Z])")
FORMULA = re.compile(
    r"\\\[(?P<b>(?:(?!\\\]).){1,400}?)\\\]|\\\((?P<p>[^\n]{1,400}?)\\\)|\$\$?(?P<d>[^$]{1,400}?)\$", re.DOTALL
)
NOTED = re.compile(rf": ?(?P<answer>(?=[-−√\d$\\(]){VALUE})\.?$", re.MULTILINE)
"""A value behind the colon that ends a line: "divide both by 4: 5/54."."""
EQUATION = re.compile(rf"[=≡≈]\s{{0,2}}(?P<answer>(?=[-−+√π(\[{{\d\\$a-zA-Z½⅓⅔¼¾.])\$?{VALUE})")
OPTION = re.compile(
    r"\b(?:(?P<said>[Aa]nswer(?: (?:is|must be|should be|would be))?:?)|[Oo]ption|[Cc]hoice)\s*(?:is\s)?(?:(?:[Oo]ption|[Cc]hoice)\s)?"
    r"[*$]*(?:\\(?:text|textbf|mathrm)\{)?\(?(?P<answer>[A-J])\)?\}?(?![\w'])"
    r"(?![ ](?!because|since|as\b|is\b|which|and|or\b|by\b|for\b|with\b|at\b|here)[a-z])"
)
LETTER_IN_PROSE = re.compile(
    r"[B-HJ] (?!because|since|as\b|is\b|which|and|or\b|by\b|for\b|with\b|at\b|here)[a-z]{2}"
)
"""A capital letter before a word that goes on: "the answer is B bit odd" gives no option."""
CHOSEN = re.compile(
    r"\b(?:answer|correct|choose|select|pick|match(?:es|ed)?|correspond\w*|therefore|thus|hence|so|must|which is|that is|that's)\b",
    re.IGNORECASE,
)
"""Before "option B": the option is given as the answer, not just looked at."""
DIGITS = "0123456789\\√π½⅓⅔¼¾⅕⅙⅛"
TRAILING = " \t\n.,;:!?*_`\"'“”-–−+/=<>≤≥≈≡|~^"
LEADING = " \t\n$*_`\"'“”:,;"
TELLING = re.compile(r"[^\W_]|[½⅓⅔¼¾∞π]")
"""A letter, figure or sign without which a run of notation is no value."""
BRACE = re.compile(r"[{}]")
BRACKET = re.compile(r"[(\[{}\])]")
OPENING, CLOSING = "([{", ")]}"
