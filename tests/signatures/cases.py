"""Generates signed requests, the same ones for the same seed: JSON lines of kind, url, body, media, token, signature.

`kind` says what is special. `expected` is only there where Twilio's two libraries are known to differ, and says who is
right by Twilio's documents; everywhere else the libraries say what is expected, and must agree.
"""

import hashlib
import json
import random
import sys
from urllib.parse import quote, quote_plus

from twilio.request_validator import RequestValidator

NAMES = ["EventType", "AccountSid", "Foo", "FooBar", "foo", "A", "_c", "Tag", "Body", "a b", "ключ", "名", "x[]", "1", "10", "2", "é", "__proto__"]
TEXTS = ["", " ", "  two ", "task.created", "'", '"', "it's", '{"a": "b"}', "a&b=c", "100%", "%41", "+1 500 555 0006", "\r\n", "\t", "日本語",
         "Иван 😀", "São Paulo", "e\u0301", "\u200f", "ﬀ", "\x00", "#x", "?y", "/z", ";", "\\", "~!*()", "x" * 2000]
SEGMENTS = ["taskrouter", "events", "api", "x.php", "a%20b", "it's", "%27", "o'b\"c", "~me", "(1)", "a;b", "@", "a:b", "%C3%A9", "%c3%a9", "+", "*", "!"]
QUERIES = ["a=1", "b=", "c", "q=a+b", "n=O%27Brien", "n=O'Brien", "e=%c3%a9", "a=2", "u=%F0%9F%98%80", "p=/x?y", "r=a:b@c", "==", "x=%2B"]
HOSTS = ["hooks.example.com", "example.com", "a-b.example.org", "10.0.0.1", "xn--bcher-kva.example"]


def encoded(random, text):
    """One of the ways in which a sender may write a text in a form."""
    way = random.randrange(4)
    if way == 0:
        return quote_plus(text)
    if way == 1:
        return quote(text, safe="")
    if way == 2:
        return quote(text, safe="~!*()';/?:@$,").replace("%20", "+")
    return "".join(f"%{byte:02x}" for byte in text.encode())


def form(random, names):
    fields = []
    for _ in range(random.choice([0, 1, 1, 2, 3, 5, 8, 40])):
        name = random.choice(names)
        if random.random() < 0.2:
            name += random.choice(["1", "Sid", "é", " ", "Bar"])
        value = random.choice(TEXTS) if random.random() < 0.7 else "".join(chr(random.randrange(32, 0x2FF)) for _ in range(random.randrange(30)))
        # The same name again, with the same value or another one.
        for _ in range(random.choice([1, 1, 1, 1, 2, 3])):
            fields.append((name, value))
            if random.random() < 0.5:
                value = random.choice(TEXTS)
    random.shuffle(fields)
    return fields, "&".join(f"{encoded(random, name)}={encoded(random, value)}" for name, value in fields)


def parameters(fields):
    """As a library's own framework hands them over: texts by name, in lists where a name repeats."""
    class Many(dict):
        def getall(self, name):
            return self[name]

    many = Many()
    for name, value in fields:
        many.setdefault(name, []).append(value)
    return many


class Url:
    def __init__(self, random):
        self.scheme = "https" if random.random() < 0.8 else "http"
        self.host = random.choice(HOSTS)
        self.port = random.choice(["", "", ":8443", ":3000", ":443", ":80", ":65535"])
        self.path = "".join("/" + random.choice(SEGMENTS) for _ in range(random.randrange(1, 4)))
        self.query = "&".join(random.choice(QUERIES) for _ in range(random.choice([0, 0, 1, 2, 4])))

    def __str__(self):
        return f"{self.scheme}://{self.host}{self.port}{self.path}" + (f"?{self.query}" if self.query else "")

    def other_port_form(self):
        own = f":{443 if self.scheme == 'https' else 80}"
        other = Url.__new__(Url)
        other.__dict__.update(self.__dict__, port="" if self.port else own)
        return other


def signed(token, url, fields):
    return RequestValidator(token).compute_signature(str(url), parameters(fields))


def case(random, number):
    token = "".join(random.choice("0123456789abcdef") for _ in range(32))
    url, kind, expected = Url(random), "form", None
    media = random.choices(["form", "json", "none"], [8, 3, 1])[0]
    fields, body = form(random, NAMES) if media == "form" else ([], "")
    if media == "json":
        body = json.dumps([{"type": random.choice(TEXTS), "data": {random.choice(NAMES): random.choice(TEXTS)}}], ensure_ascii=random.random() < 0.5)
        digest = hashlib.sha256(body.encode()).hexdigest()
        pair = f"bodySHA256={digest}"
        url.query = random.choice([pair, f"{url.query}&{pair}" if url.query else pair, f"{pair}&a=1", f"a=%27&{pair}"])
        kind = "json"
    if media == "none":
        kind = "get"
    signature = signed(token, url if random.random() < 0.5 else url.other_port_form(), fields)
    change = random.random()
    if change < 0.4:
        how = random.randrange(9)
        kind += " changed"
        if how == 0:
            signature = signed(token[::-1], url, fields)
        elif how == 1:
            signature = signature[:-2]
        elif how == 2:
            signature = ""
        elif how == 3:
            url.path += "/x"
        elif how == 4:
            url.host = "evil.example"
        elif how == 5:
            url.query = f"{url.query}&z=1" if url.query else "z=1"
        elif how == 6 and media == "form":
            body += ("&" if body else "") + "Added=1"
        elif how == 7 and media == "json":
            body += " "
        elif how == 8 and media == "json":
            # Signed, but by a hash in other letters: both libraries compare texts.
            head, digest = url.query.split("bodySHA256=")
            url.query = f"{head}bodySHA256={digest[:64].upper()}{digest[64:]}"
            signature = signed(token, url, [])
        else:
            # A port that is neither the URL's own nor its scheme's.
            other = Url.__new__(Url)
            other.__dict__.update(url.__dict__, port=":9999")
            signature = signed(token, other, fields)
    elif change < 0.43 and media == "form":
        # Names order by their bytes: node sorts by UTF-16, which puts what is beyond U+FFFF before U+E000 to U+FFFF.
        fields = fields + [("\uff21", "1"), ("\U0001f600", "2")]
        body += ("&" if body else "") + "%EF%BC%A1=1&%F0%9F%98%80=2"
        signature, kind, expected = signed(token, url, fields), "order beyond U+FFFF", True
    elif change < 0.46:
        # Node tries the URL once more as browsers write it; Twilio has not been seen to sign that.
        url.query = f"{url.query}&n='" if url.query else "n='"
        if media != "json":
            signature = signed(token, str(url).replace("'", "%27").replace('"', "%22"), fields)
            kind, expected = "signed as a browser writes it", "'" in url.path
            expected = False
        else:
            signature = signed(token, url, [])
    elif change < 0.49:
        # Python cuts an IPv6 address at its first colon.
        url.host, kind = random.choice(["[::1]", "[2001:db8::7]"]), "IPv6"
        signed_for = url if random.random() < 0.5 else url.other_port_form()
        signature, expected = signed(token, signed_for, fields), True
    elif change < 0.51 and not url.query:
        # Python leaves a lone question mark out before it signs.
        url.path += "?"
        signature, kind, expected = signed(token, url, fields), "lone question mark", True
    return {"number": number, "kind": kind, "media": media, "url": str(url), "body": body, "token": token, "signature": signature,
            **({} if expected is None else {"expected": expected})}


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    source = random.Random(seed)
    for number in range(count):
        print(json.dumps(case(source, number), ensure_ascii=True))


main()
